import pytest
from pynetdicom.pdu import A_ABORT_RQ, P_DATA_TF
from pynetdicom.pdu_primitives import P_DATA

from dicom_node.receive.pdu import (
    UNEXPECTED_PDU,
    Fragment,
    MalformedPDU,
    PDUHeader,
    abort_pdu,
    fragment_pdu,
    fragments_of,
)


def test_fragments_are_those_pynetdicom_wrote() -> None:
    primitive = P_DATA()
    primitive.presentation_data_value_list = [
        [1, b"\x01first"],
        [3, b"\x00" + b"x" * 300],
        [3, b"\x02"],
    ]
    pdu = P_DATA_TF()
    pdu.from_primitive(primitive)
    encoded = pdu.encode()

    found = list(fragments_of(memoryview(encoded)[6:]))

    assert PDUHeader.parse(encoded[:6]) == PDUHeader(4, len(encoded) - 6)
    assert [(f.context_id, f.is_command, f.is_last, bytes(f.data)) for f in found] == [
        (1, True, False, b"first"),
        (3, False, False, b"x" * 300),
        (3, False, True, b""),
    ]


def test_pynetdicom_reads_the_pdu_of_a_fragment() -> None:
    pdu = P_DATA_TF()
    pdu.decode(fragment_pdu(Fragment(5, is_command=True, is_last=True, data=b"command")))

    [item] = pdu.presentation_data_value_items
    assert (item.context_id, item.data) == (5, b"\x03command")


@pytest.mark.parametrize(
    "body",
    [
        b"\0\0\0\x04\x01",
        b"\0\0\0\x05\x01\x03ab",
        b"\0\0\0\x01\x01\x03",
        b"\0\0\0\0\x01\x03",
        b"\xff\xff\xff\xff\x01\x03",
    ],
)
def test_lengths_that_contradict_each_other_are_malformed(body: bytes) -> None:
    with pytest.raises(MalformedPDU):
        list(fragments_of(memoryview(body)))


def test_pynetdicom_reads_the_abort() -> None:
    pdu = A_ABORT_RQ()
    pdu.decode(abort_pdu(UNEXPECTED_PDU))

    assert (pdu.source, pdu.reason_diagnostic) == (2, UNEXPECTED_PDU)
