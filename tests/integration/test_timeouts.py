"""Who falls silent gives its place back, each kind of silence after its own time."""

import socket
import struct

from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from core.database import Database
from core.settings import Settings
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from tests.builders.encoded_instance import encode_instance
from tests.builders.messages import fragments, pdu_of, store_command
from tests.fixtures.dicom_server import DEVICE, running_node
from tests.integration.test_associations import wait_until

A_ASSOCIATE_AC, A_ABORT = 2, 7


def test_an_idle_association_is_aborted(settings: Settings, database: Database) -> None:
    impatient = settings.model_copy(update={"network_timeout_seconds": 3.0})
    caller = AE(DEVICE)
    caller.add_requested_context(Verification)
    with running_node(impatient, database) as node:
        association = caller.associate("127.0.0.1", node.port, ae_title="ARCUATE")
        assert association.is_established

        wait_until(lambda: association.is_aborted)


def test_silence_in_the_middle_of_a_message_ends_it_and_leaves_nothing(
    settings: Settings, database: Database
) -> None:
    impatient = settings.model_copy(update={"dimse_timeout_seconds": 0.5})
    encoded = encode_instance()
    command = pdu_of(fragments(store_command(encoded), is_command=True))
    half = pdu_of(fragments(encoded.data_set, is_command=False, sizes=[100])[:1])
    with (
        running_node(impatient, database) as node,
        socket.create_connection(("127.0.0.1", node.port), timeout=30) as connection,
    ):
        connection.sendall(storage_request(encoded.transfer_syntax_uid))
        assert read_pdu(connection) == A_ASSOCIATE_AC
        connection.sendall(command + half)

        assert read_pdu(connection) == A_ABORT
        assert connection.recv(1) == b""
        unfinished = node.archive.storage.root / ".unfinished"
        assert list(unfinished.iterdir()) == []


def read_pdu(connection: socket.socket) -> int:
    """Read one PDU and return its type."""
    kind, length = struct.unpack(">BxI", connection.recv(6, socket.MSG_WAITALL))
    connection.recv(length, socket.MSG_WAITALL)
    return int(kind)


def storage_request(transfer_syntax_uid: str) -> bytes:
    """Return an A-ASSOCIATE-RQ for one class, with context 1 (PS3.8 9.3.2)."""

    def item(kind: int, content: bytes) -> bytes:
        return struct.pack(">BxH", kind, len(content)) + content

    syntaxes = item(0x30, OPHTHALMIC_TOMOGRAPHY.encode()) + item(0x40, transfer_syntax_uid.encode())
    user = item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3")
    items = (
        item(0x10, b"1.2.840.10008.3.1.1.1")
        + item(0x20, b"\x01\0\0\0" + syntaxes)
        + item(0x50, user)
    )
    titles = b"ARCUATE".ljust(16) + DEVICE.encode().ljust(16)
    body = struct.pack(">H2x", 1) + titles + bytes(32) + items
    return struct.pack(">BxI", 1, len(body)) + body
