"""Whatever a peer reports as Event Information, it is read or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.dsutils import encode

from dicom_node.errors import ActionRefused
from dicom_node.event_report import build_event_information
from dicom_node.scp.event_information import read_event_information
from dicom_node.statuses import FailureReason
from dicom_node.storage.commitments import InstanceReference
from dicom_node.storage.encoding import encoding_of
from dicom_node.storage.verification import CommitmentResult, FailedReference

SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
KEPT = InstanceReference("1.2.840.10008.5.1.4.1.1.7", "1.2.3.4")
LOST = InstanceReference("1.2.840.10008.5.1.4.1.1.66", "1.2.3.5")


def encoded(syntax: str) -> bytes:
    result = CommitmentResult(
        "1.2.3", (KEPT,), (FailedReference(LOST, FailureReason.NO_SUCH_OBJECT_INSTANCE),)
    )
    form = encoding_of(syntax)
    information = build_event_information(result)
    return encode(information, form.is_implicit_vr, form.is_little_endian) or b""


def read_or_refuse(data: bytes, syntax: str) -> None:
    try:
        report = read_event_information(data, encoding_of(syntax))
    except ActionRefused:
        return
    assert report.transaction_uid
    assert not report.committed & report.failed.keys()


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_report_says_what_is_kept_and_why_not(syntax: str) -> None:
    report = read_event_information(encoded(syntax), encoding_of(syntax))

    assert report.transaction_uid == "1.2.3"
    assert report.committed == {KEPT.sop_instance_uid}
    assert report.failed == {LOST.sop_instance_uid: 0x0112}


@pytest.mark.parametrize("syntax", SYNTAXES)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(syntax: str, data: bytes) -> None:
    read_or_refuse(data, syntax)


@pytest.mark.parametrize("syntax", SYNTAXES)
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_report_is_read_or_refused(
    syntax: str, place: float, byte: int, cut: bool
) -> None:
    data = encoded(syntax)
    position = int(place * len(data))
    rest = b"" if cut else data[position + 1 :]

    read_or_refuse(data[:position] + bytes([byte]) + rest, syntax)
