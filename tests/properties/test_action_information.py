"""Whatever a peer sends as Action Information, it is read or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.dsutils import encode

from dicom_node.errors import ActionRefused
from dicom_node.scp.action_information import read_action_information
from dicom_node.storage.encoding import encoding_of
from tests.fixtures.commitment_device import build_request

SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]


def read_or_refuse(data: bytes, syntax: str) -> None:
    try:
        transaction_uid, instances = read_action_information(data, encoding_of(syntax))
    except ActionRefused:
        return
    assert transaction_uid
    assert instances


@pytest.mark.parametrize("syntax", SYNTAXES)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(syntax: str, data: bytes) -> None:
    read_or_refuse(data, syntax)


@pytest.mark.parametrize("syntax", SYNTAXES)
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_request_is_read_or_refused(
    syntax: str, place: float, byte: int, cut: bool
) -> None:
    pairs = [("1.2.840.10008.5.1.4.1.1.7", "1.2.3.4"), ("1.2.840.10008.5.1.4.1.1.66", "1.2.3.5")]
    uid = encoding_of(syntax)
    data = encode(build_request("1.2.3", pairs), uid.is_implicit_vr, uid.is_little_endian) or b""
    position = int(place * len(data))
    rest = b"" if cut else data[position + 1 :]

    read_or_refuse(data[:position] + bytes([byte]) + rest, syntax)
