from dicom_node.event_report import EventType, build_event_information, event_type_of
from dicom_node.statuses import FailureReason
from dicom_node.storage.commitments import InstanceReference
from dicom_node.storage.verification import CommitmentResult, FailedReference

KEPT = InstanceReference("1.2.840.10008.5.1.4.1.1.7", "1.2.3.4")
MISSING = FailedReference(
    InstanceReference("1.2.840.10008.5.1.4.1.1.7", "1.2.3.5"),
    FailureReason.NO_SUCH_OBJECT_INSTANCE,
)


def test_all_committed_is_event_1_without_failures() -> None:
    result = CommitmentResult("1.2.3", (KEPT,), ())

    information = build_event_information(result)

    assert event_type_of(result) == EventType.ALL_COMMITTED == 1
    assert information.TransactionUID == "1.2.3"
    [item] = information.ReferencedSOPSequence
    assert (item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID) == (
        KEPT.sop_class_uid,
        KEPT.sop_instance_uid,
    )
    assert "FailureReason" not in item
    assert "FailedSOPSequence" not in information


def test_a_failure_is_event_2_with_its_reason() -> None:
    result = CommitmentResult("1.2.3", (KEPT,), (MISSING,))

    information = build_event_information(result)

    assert event_type_of(result) == EventType.FAILURES_EXIST == 2
    assert len(information.ReferencedSOPSequence) == 1
    [item] = information.FailedSOPSequence
    assert (item.ReferencedSOPInstanceUID, item.FailureReason) == ("1.2.3.5", 0x0112)


def test_nothing_committed_is_no_empty_sequence() -> None:
    information = build_event_information(CommitmentResult("1.2.3", (), (MISSING,)))

    assert "ReferencedSOPSequence" not in information
