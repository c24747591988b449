from core.errors import InfrastructureError, NodeError
from dicom_node import errors
from dicom_node.conformance.statuses import refusals, statuses_by_service
from dicom_node.statuses import STATUS_OF_ERROR, Status

#: Told over HTTP or of files alone, of single sub-operations, or families whose members are told.
NOT_TOLD = {
    InfrastructureError,
    errors.RecordNotFound,
    errors.ObjectUnreadable,
    errors.BytesRemoved,
    errors.PixelsUnreadable,
    errors.FileInvalid,
    errors.FileRefused,
    errors.StudyMismatch,
    errors.InstanceRefused,
    errors.ActionRefused,
    errors.NoticeRefused,
    errors.IdentifierRefused,
}


def test_every_refusal_is_told_by_a_service() -> None:
    assert set(STATUS_OF_ERROR) == refusals() | NOT_TOLD
    assert refusals().isdisjoint(NOT_TOLD)


def test_every_status_there_is_is_stated() -> None:
    stated = {m.status for meanings in statuses_by_service().values() for m in meanings}

    assert stated == {int(status) for status in Status}


def test_meaning_is_the_first_sentence_of_the_error() -> None:
    storage = {m.status: m.meaning for m in statuses_by_service()["Storage (C-STORE)"]}

    assert storage[0x0122] == "The SOP class is not in the accept list"
    assert storage[0x0110] == "Anything else; the log says more"
    assert NodeError in refusals()
