import pytest

import dicom_node.errors
from core.database import DatabaseAway
from core.errors import InfrastructureError, NodeError
from dicom_node.errors import (
    ActionAttributeMissing,
    ActionInvalid,
    ActionTooLarge,
    ActionValueMissing,
    InstanceRefused,
    PatientIDMissing,
    StorageFull,
    UnknownAction,
    UnknownActionInstance,
)
from dicom_node.statuses import (
    STATUS_OF_ERROR,
    Status,
    answer,
    answer_action_error,
    comment_of,
    status_of,
)


def test_every_error_of_receiving_has_a_status_of_its_own() -> None:
    errors = {
        kind
        for kind in vars(dicom_node.errors).values()
        if isinstance(kind, type) and issubclass(kind, NodeError)
    }

    assert errors - set(STATUS_OF_ERROR) == set()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PatientIDMissing(), Status.CANNOT_UNDERSTAND),
        (StorageFull(), Status.OUT_OF_RESOURCES),
        (DatabaseAway(), Status.OUT_OF_RESOURCES),
        (NodeError(), Status.PROCESSING_FAILURE),
    ],
)
def test_status_of_an_error(error: NodeError, status: Status) -> None:
    assert status_of(error) == status


def test_status_of_an_unlisted_error_is_that_of_its_family() -> None:
    class NewFault(InfrastructureError):
        """A fault of tomorrow."""

    class NewRefusal(InstanceRefused):
        """A refusal of tomorrow."""

    assert status_of(NewFault()) == Status.OUT_OF_RESOURCES
    assert status_of(NewRefusal()) == Status.CANNOT_UNDERSTAND


@pytest.mark.parametrize("kind", STATUS_OF_ERROR)
def test_what_an_operator_reads_is_a_whole_sentence(kind: type[NodeError]) -> None:
    assert comment_of(kind()) == kind.__doc__


def test_an_error_comment_fits_its_value_representation() -> None:
    assert comment_of(NodeError("ä\\" + "x" * 100)) == "?/" + "x" * 62


def test_success_carries_no_comment() -> None:
    assert "ErrorComment" not in answer(Status.SUCCESS)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownAction(), 0x0123),
        (UnknownActionInstance(), 0x0112),
        (ActionAttributeMissing(), 0x0120),
        (ActionValueMissing(), 0x0121),
        (ActionInvalid(), 0x0115),
        (ActionTooLarge(), 0x0213),
        (DatabaseAway(), 0x0213),
        (NodeError(), 0x0110),
    ],
)
def test_an_action_is_answered_in_the_words_of_the_n_services(
    error: NodeError, status: int
) -> None:
    answered = answer_action_error(error)

    assert (answered.Status, answered.ErrorComment) == (status, str(error))
