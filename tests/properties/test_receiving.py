"""Whatever a peer sends, in whatever pieces: what is kept is whole, and nothing else is left."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.database import Database
from core.migrations.schema import migrate
from core.settings import Settings
from dicom_node.receive.connection import Connection
from dicom_node.receive.pdu import MalformedPDU
from dicom_node.receive.store_receiver import AcceptedContext, ProtocolViolated, StoreReceiver
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.part10 import file_preamble
from tests.builders.encoded_instance import encode_instance
from tests.builders.messages import CONTEXT_ID, fragments, pdu_of, store_command, store_message

WHOLE = encode_instance(PixelData=bytes(range(256)))
RELEASE_REQUEST = struct.pack(">BBII", 5, 0, 4, 0)
PREAMBLE_BYTES = len(file_preamble(WHOLE))
EXAMPLES = hypothesis_settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    settings = Settings(home=tmp_path_factory.mktemp("node") / "home")
    database = Database(settings.database)
    migrate(database)
    opened = open_archive(settings, database, Storage(settings.storage))
    opened.prepare()
    yield opened
    database.close()


def receive(archive: Archive, sent: bytes) -> bytes:
    """Let the receiver read all of it until it has had enough; return its answers."""
    ours, peer = socket.socketpair()
    with ours, peer:
        receiver = StoreReceiver(
            Connection(ours, lambda: False, lambda: False, 1 << 20, 5.0),
            archive,
            "DEVICE1",
            {CONTEXT_ID: AcceptedContext(OPHTHALMIC_TOMOGRAPHY, WHOLE.transfer_syntax_uid)},
            stall_seconds=2.0,
        )
        sending = threading.Thread(target=_send, args=(peer, sent))
        sending.start()
        # What the seam catches; anything else would end the association's thread.
        with suppress(OSError, MalformedPDU, ProtocolViolated):
            while receiver.serve():
                pass
        ours.close()
        sending.join()
        return _read_all(peer)


def _send(peer: socket.socket, sent: bytes) -> None:
    with suppress(OSError):
        peer.sendall(sent)
        peer.shutdown(socket.SHUT_WR)


def _read_all(peer: socket.socket) -> bytes:
    answer = b""
    with suppress(ConnectionError):
        while part := peer.recv(65536):
            answer += part
    return answer


def assert_whole(archive: Archive) -> None:
    """Every file is what its name says; nothing half-written is left."""
    for path in archive.storage.root.rglob("*.dcm"):
        assert sha256(path.read_bytes()[PREAMBLE_BYTES:]).hexdigest() == path.stem
    assert list((archive.storage.root / ".unfinished").iterdir()) == []


@EXAMPLES
@given(
    command=st.lists(st.integers(0, 40), max_size=4),
    data=st.lists(st.integers(0, 400), max_size=6),
    together=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_any_cut_into_fragments_and_pdus_is_the_same_store(
    archive: Archive, command: list[int], data: list[int], together: list[bool]
) -> None:
    parts = fragments(store_command(WHOLE), is_command=True, sizes=command)
    parts += fragments(WHOLE.data_set, is_command=False, sizes=data)
    pdus, rest = [], list(parts)
    for joined in together:
        count = 2 if joined else 1
        pdus.append(pdu_of(rest[:count]))
        rest = rest[count:]

    answer = receive(archive, b"".join([*pdus, pdu_of(rest), RELEASE_REQUEST]))

    assert struct.pack("<HHIH", 0, 0x0900, 2, 0) in answer
    assert_whole(archive)


@st.composite
def damaged_streams(draw: st.DrawFn) -> bytes:
    """Good messages with a few bytes changed, cut out or put in."""
    stream = bytearray(store_message(WHOLE) + store_message(WHOLE, 2) + RELEASE_REQUEST)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(stream) - 1))
        end = draw(st.integers(start, min(len(stream), start + 8)))
        stream[start:end] = draw(st.binary(max_size=8))
    return bytes(stream)


@EXAMPLES
@given(sent=st.one_of(st.binary(max_size=200), damaged_streams()))
def test_any_bytes_leave_only_whole_instances(archive: Archive, sent: bytes) -> None:
    receive(archive, sent)

    assert_whole(archive)
