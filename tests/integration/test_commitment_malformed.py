"""Storage commitment requests that no device should send: each is answered, nobody is harmed."""

from collections.abc import Iterator

import pytest
from pydicom import Dataset
from sqlmodel import select

from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from core.tables.commitments import CommitmentRow
from core.tables.jobs import JobRow
from dicom_node.statuses import Status
from tests.builders.action_information import element, information, sequence
from tests.fixtures.commitment_device import Device, ask, build_request
from tests.fixtures.dicom_server import Node, running_node

INSTANCE = ("1.2.840.10008.5.1.4.1.1.7", "1.2.3.404")


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def records(node: Node) -> int:
    with node.database.reading() as session:
        rows = session.exec(select(CommitmentRow)).all()
        jobs = session.exec(select(JobRow)).all()
    assert len(rows) == len(jobs)
    return len(rows)


@pytest.mark.parametrize(
    ("information", "status"),
    [
        (sequence(), Status.MISSING_ATTRIBUTE),
        (element(0x0008, 0x1195, b"1.2.3"), Status.MISSING_ATTRIBUTE),
        (information(b"1.2.3", []), Status.MISSING_ATTRIBUTE_VALUE),
        (information(b"", [(b"1.2", b"1.3")]), Status.MISSING_ATTRIBUTE_VALUE),
        (information(b"1.02.3", [(b"1.2", b"1.3")]), Status.INVALID_ARGUMENT_VALUE),
        (information(b"1.2.3", [(b"CT", b"1.3")]), Status.INVALID_ARGUMENT_VALUE),
        (b"\xff\xfe\x00\xe0" * 1000, Status.INVALID_ARGUMENT_VALUE),
        (information(b"1.2.3", [(b"1.2", b"1.3")] * 6000), Status.RESOURCE_LIMITATION),
        (b"\0" * (3 << 20), Status.RESOURCE_LIMITATION),
    ],
    ids=[
        "no transaction",
        "no sequence",
        "empty sequence",
        "empty transaction",
        "malformed transaction",
        "malformed class",
        "no data set",
        "thousands of instances",
        "megabytes",
    ],
)
def test_a_malformed_request_is_answered_and_the_next_one_taken(
    node: Node, monkeypatch: pytest.MonkeyPatch, information: bytes, status: Status
) -> None:
    with Device().association(node.address) as association:
        with monkeypatch.context() as patched:
            # What the device's library would not write, it sends: only its own encoder is replaced.
            patched.setattr("pynetdicom.association.encode", lambda *_arguments: information)
            refused = ask(association, Dataset())
        kept_of_it = records(node)
        accepted = ask(association, build_request("1.2.3", [INSTANCE]))

    assert (refused, kept_of_it, accepted) == (status, 0, Status.SUCCESS)


def test_a_request_without_information_is_answered(node: Node) -> None:
    with Device().association(node.address) as association:
        assert ask(association, None) == Status.MISSING_ATTRIBUTE


@pytest.mark.parametrize("action_type", [0, 2, 65535])
def test_another_action_is_answered(node: Node, action_type: int) -> None:
    with Device().association(node.address) as association:
        status = ask(association, build_request("1.2.3", [INSTANCE]), action_type)

    assert status == Status.NO_SUCH_ACTION
    assert records(node) == 0


def test_another_instance_than_the_well_known_is_answered(node: Node) -> None:
    with Device().association(node.address) as association:
        status = ask(association, build_request("1.2.3", [INSTANCE]), instance="1.2.3")

    assert status == Status.NO_SUCH_SOP_INSTANCE
    assert records(node) == 0


def test_a_request_of_the_most_instances_is_taken_and_its_association_not_held_up(
    node: Node,
) -> None:
    instances = [(INSTANCE[0], f"1.2.3.{number}") for number in range(5000)]
    with Device().association(node.address) as association:
        assert ask(association, build_request("1.2.3", instances)) == Status.SUCCESS
        assert ask(association, build_request("1.2.4", [INSTANCE])) == Status.SUCCESS

    assert records(node) == 2


def test_an_abort_right_after_the_request_harms_nobody(node: Node) -> None:
    """The report is being sent to a peer that is gone; the next peer is served."""
    device = Device()
    with device.association(node.address) as association:
        assert ask(association, build_request("1.2.3", [INSTANCE])) == Status.SUCCESS
        association.abort()

    with device.association(node.address) as association:
        assert ask(association, build_request("1.2.4", [INSTANCE])) == Status.SUCCESS
        assert wait_until(lambda: _is_reported(node, "1.2.4"), 30)


def _is_reported(node: Node, transaction_uid: str) -> bool:
    with node.database.reading() as session:
        statement = select(CommitmentRow).where(CommitmentRow.transaction_uid == transaction_uid)
        return session.exec(statement).one().reported_at is not None


def test_a_response_to_a_report_that_was_never_sent_is_ignored(node: Node) -> None:
    from pynetdicom.dimse_primitives import N_EVENT_REPORT

    response = N_EVENT_REPORT()
    response.MessageIDBeingRespondedTo = 77
    response.Status = 0x0000
    with Device().association(node.address) as association:
        [context] = association.accepted_contexts
        association.dimse.send_msg(response, context.context_id or 1)

        assert ask(association, build_request("1.2.3", [INSTANCE])) == Status.SUCCESS
