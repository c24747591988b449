"""What we encode is decoded by pynetdicom's own PDU classes, and the other way round."""

import struct
from typing import Any

import pytest
from pydicom.uid import ExplicitVRLittleEndian, OphthalmicTomographyImageStorage
from pynetdicom import build_context
from pynetdicom.dimse_messages import C_STORE_RQ, C_STORE_RSP
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ, A_RELEASE_RQ, P_DATA_TF
from pynetdicom.pdu_primitives import A_ASSOCIATE, MaximumLengthNotification

from arcuate.bench.ingest import pdu
from arcuate.bench.ingest.pdu import SendFailed

SOP_CLASS = str(OphthalmicTomographyImageStorage)
TRANSFER_SYNTAX = str(ExplicitVRLittleEndian)


def decoded(kind: Any, encoded: bytes) -> Any:
    read = kind()
    read.decode(encoded)
    assert len(encoded) == pdu.HEADER_BYTES + struct.unpack_from(">I", encoded, 2)[0]
    return read


def acceptance(maximum_pdu_bytes: int, result: int = 0) -> bytes:
    """Return the body of an A-ASSOCIATE-AC as pynetdicom writes it."""
    primitive = A_ASSOCIATE()
    primitive.application_context_name = "1.2.840.10008.3.1.1.1"
    primitive.calling_ae_title, primitive.called_ae_title = "BENCH", "PEER"
    primitive.result, primitive.result_source = 0, 1
    context = build_context(SOP_CLASS, TRANSFER_SYNTAX)
    context.context_id, context.result = pdu.CONTEXT_ID, result
    primitive.presentation_context_definition_results_list = [context]
    maximum = MaximumLengthNotification()
    maximum.maximum_length_received = maximum_pdu_bytes
    primitive.user_information = [maximum]
    accepted = A_ASSOCIATE_AC()
    accepted.from_primitive(primitive)
    return accepted.encode()[pdu.HEADER_BYTES :]


def response(status: int) -> bytes:
    """Return the body of the P-DATA-TF with a C-STORE-RSP as pynetdicom writes it."""
    primitive = C_STORE()
    primitive.MessageIDBeingRespondedTo = 7
    primitive.AffectedSOPClassUID, primitive.AffectedSOPInstanceUID = SOP_CLASS, "1.2.3"
    primitive.Status = status
    message = C_STORE_RSP()
    message.primitive_to_message(primitive)
    (data,) = message.encode_msg(pdu.CONTEXT_ID, 16_384)
    encoded = P_DATA_TF()
    encoded.from_primitive(data)
    return encoded.encode()[pdu.HEADER_BYTES :]


def test_association_request_is_what_pynetdicom_reads() -> None:
    encoded = pdu.associate_request("BENCH", "PEER", SOP_CLASS, TRANSFER_SYNTAX)

    request = decoded(A_ASSOCIATE_RQ, encoded)

    assert (request.calling_ae_title, request.called_ae_title) == ("BENCH", "PEER")
    assert request.application_context_name == "1.2.840.10008.3.1.1.1"
    (context,) = request.presentation_context
    assert (context.context_id, context.abstract_syntax) == (pdu.CONTEXT_ID, SOP_CLASS)
    assert context.transfer_syntax == [TRANSFER_SYNTAX]
    assert request.user_information.maximum_length == 16_384
    assert request.encode() == encoded


def test_store_request_is_the_command_pynetdicom_reads() -> None:
    message = C_STORE_RQ()

    for body in (
        pdu.store_request(7, SOP_CLASS, "1.2.34"),
        bytes(pdu.data_set_pdus(b"AB" * 50, 1000)),
    ):
        is_whole = message.decode_msg(decoded(P_DATA_TF, body).to_primitive())

    assert is_whole
    request = message.message_to_primitive()
    assert isinstance(request, C_STORE)
    assert (request.MessageID, request.Priority) == (7, 0)
    assert (request.AffectedSOPClassUID, request.AffectedSOPInstanceUID) == (SOP_CLASS, "1.2.34")
    assert request.DataSet is not None
    assert request.DataSet.getvalue() == b"AB" * 50


@pytest.mark.parametrize("length", [1, 99, 100, 101, 250])
def test_fragments_hold_the_data_set_in_order(length: int) -> None:
    data_set = bytes(number % 251 for number in range(length))
    stream = bytes(pdu.data_set_pdus(data_set, 100))

    values = []
    while stream:
        end = pdu.HEADER_BYTES + struct.unpack_from(">I", stream, 2)[0]
        (item,) = decoded(P_DATA_TF, stream[:end]).presentation_data_value_items
        values.append(item.presentation_data_value)
        stream = stream[end:]

    assert b"".join(value[1:] for value in values) == data_set
    assert [value[0] for value in values] == [0] * (len(values) - 1) + [2]
    assert max(len(value) for value in values) <= 101


@pytest.mark.parametrize("offset", [0, 60, 100, 190, 230])
def test_place_in_pdus_is_where_the_bytes_are(offset: int) -> None:
    data_set = bytearray(250)
    data_set[offset : offset + 10] = b"0123456789"

    place = pdu.place_in_pdus(offset, 10, 100)

    assert pdu.data_set_pdus(data_set, 100)[place : place + 10] == b"0123456789"


def test_value_divided_between_pdus_has_no_place() -> None:
    with pytest.raises(ValueError, match="divided"):
        pdu.place_in_pdus(95, 10, 100)


@pytest.mark.parametrize(
    ("offered", "taken"), [(16_382, 16_382), (131_072, 131_072), (0, 131_072), (1 << 20, 131_072)]
)
def test_pdus_are_no_larger_than_offered_and_than_peers_send(offered: int, taken: int) -> None:
    negotiated = pdu.read_acceptance(acceptance(offered))

    assert negotiated.maximum_pdu_bytes == taken
    (first, *_) = [pdu.data_set_pdus(bytes(300_000), negotiated.fragment_bytes)]
    assert struct.unpack_from(">I", first, 2)[0] == taken


def test_refused_presentation_context_is_an_error() -> None:
    with pytest.raises(SendFailed, match="does not take this class"):
        pdu.read_acceptance(acceptance(16_382, result=3))


@pytest.mark.parametrize("status", [0x0000, 0xA700, 0xC211])
def test_status_is_read_from_a_response(status: int) -> None:
    assert pdu.read_status(response(status)) == status


def test_message_that_is_no_response_is_an_error() -> None:
    with pytest.raises(SendFailed, match="no whole response"):
        pdu.read_status(bytes(pdu.data_set_pdus(b"AB", 100))[pdu.HEADER_BYTES :])


def test_release_request_is_what_pynetdicom_writes() -> None:
    assert pdu.release_request() == A_RELEASE_RQ().encode()
