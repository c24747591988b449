from io import BytesIO

import pytest
from pynetdicom import AE, evt
from pynetdicom.association import MODE_ACCEPTOR, Association
from pynetdicom.dimse_messages import C_STORE_RQ, N_ACTION_RQ, DIMSEMessage
from pynetdicom.events import Event

from dicom_node.scp.action_information import MAXIMUM_BYTES
from dicom_node.scp.commitment import handle_pdu


def gather(message: DIMSEMessage, arrived_bytes: int) -> int:
    """Return how many bytes are held after a further fragment of a thousand."""
    association = Association(AE(), MODE_ACCEPTOR)
    message.data_set = BytesIO()
    message.data_set.write(b"\0" * arrived_bytes)
    association.dimse.message = message
    for _ in range(2):
        handle_pdu(Event(association, evt.EVT_PDU_RECV))
        message.data_set.write(b"\0" * 500)
    return len(message.data_set.getvalue())


@pytest.mark.parametrize(
    ("message", "arrived_bytes", "held_bytes"),
    [
        (N_ACTION_RQ(), MAXIMUM_BYTES, MAXIMUM_BYTES + 500),
        (N_ACTION_RQ(), MAXIMUM_BYTES + 1, MAXIMUM_BYTES + 1),
        (C_STORE_RQ(), MAXIMUM_BYTES + 1, MAXIMUM_BYTES + 1001),
    ],
)
def test_no_more_is_gathered_of_a_request_than_shows_it_is_too_large(
    message: DIMSEMessage, arrived_bytes: int, held_bytes: int
) -> None:
    assert gather(message, arrived_bytes) == held_bytes


def test_a_message_without_a_data_set_is_left_alone() -> None:
    association = Association(AE(), MODE_ACCEPTOR)
    association.dimse.message = None

    handle_pdu(Event(association, evt.EVT_PDU_RECV))

    assert association.dimse.message is None
