from io import BytesIO

import pytest
from pydicom import Dataset
from pynetdicom.dimse_messages import C_ECHO_RQ, C_STORE_RQ, C_STORE_RSP
from pynetdicom.dimse_primitives import C_ECHO, C_STORE
from pynetdicom.dsutils import decode, encode

from dicom_node.receive.commands import StoreRequest, read_store_request, store_response
from dicom_node.statuses import Status

REQUEST = StoreRequest(77, "1.2.840.10008.5.1.4.1.1.77.1.5.4", "1.2.3.45", has_data_set=True)


def pynetdicom_command(has_data_set: bool) -> bytes:
    """A C-STORE-RQ as pynetdicom writes it, with every optional element."""
    primitive = C_STORE()
    primitive.MessageID = REQUEST.message_id
    primitive.AffectedSOPClassUID = REQUEST.sop_class_uid
    primitive.AffectedSOPInstanceUID = REQUEST.sop_instance_uid
    primitive.Priority = 2
    primitive.MoveOriginatorApplicationEntityTitle = "PACS"
    primitive.MoveOriginatorMessageID = 5
    if has_data_set:
        primitive.DataSet = BytesIO(b"\x08\x00")
    message = C_STORE_RQ()
    message.primitive_to_message(primitive)
    encoded = encode(message.command_set, True, True)
    assert encoded is not None
    return encoded


@pytest.mark.parametrize("has_data_set", [True, False])
def test_request_reads_what_pynetdicom_writes(has_data_set: bool) -> None:
    request = read_store_request(pynetdicom_command(has_data_set))

    assert request == StoreRequest(
        REQUEST.message_id, REQUEST.sop_class_uid, REQUEST.sop_instance_uid, has_data_set
    )


def test_another_command_is_no_store_request() -> None:
    primitive = C_ECHO()
    primitive.MessageID = 1
    message = C_ECHO_RQ()
    message.primitive_to_message(primitive)

    assert read_store_request(encode(message.command_set, True, True) or b"") is None


@pytest.mark.parametrize("cut", [1, 7, 9, 20, 40])
def test_a_command_with_wrong_lengths_is_no_store_request(cut: int) -> None:
    assert read_store_request(pynetdicom_command(True)[:-cut]) is None


@pytest.mark.parametrize("comment", ["", "odd", "even"])
def test_pynetdicom_reads_the_response(comment: str) -> None:
    encoded = store_response(REQUEST, Status.INSTANCE_CONFLICT, comment)

    message = C_STORE_RSP()
    message.command_set = decode(BytesIO(encoded), True, True)
    message.data_set = BytesIO()
    response = message.message_to_primitive()
    assert isinstance(response, C_STORE)
    assert response.Status == Status.INSTANCE_CONFLICT
    assert response.MessageIDBeingRespondedTo == REQUEST.message_id
    assert response.AffectedSOPClassUID == REQUEST.sop_class_uid
    assert response.AffectedSOPInstanceUID == REQUEST.sop_instance_uid
    assert (response.ErrorComment or "") == comment


def test_the_group_length_counts_what_follows() -> None:
    encoded = store_response(REQUEST, 0, "a comment")

    command: Dataset = decode(BytesIO(encoded), True, True)

    assert command.CommandGroupLength == len(encoded) - 12
