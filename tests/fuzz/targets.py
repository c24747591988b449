"""What is fuzzed: each target takes any bytes, and fails only where our code is wrong.

A target raises what it must not (any error but the ones a reader names), or AssertionError where a
promise is broken.
"""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from core.database import Database
from core.errors import NodeError
from core.migrations.schema import migrate
from core.settings import Settings
from dicom_node.errors import FileInvalid
from dicom_node.pynetdicom_settings import MAXIMUM_PDU_BYTES
from dicom_node.receive.commands import (
    StoreRequest,
    announces_data_set,
    read_store_request,
    store_response,
)
from dicom_node.receive.connection import Connection
from dicom_node.receive.opening import CLIENT_HELLO, association_request
from dicom_node.receive.pdu import (
    P_DATA_TF,
    PDU_HEADER_BYTES,
    MalformedPDU,
    PDUHeader,
    fragment_pdu,
    fragments_of,
)
from dicom_node.receive.store_receiver import AcceptedContext, ProtocolViolated, StoreReceiver
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.digest_key import digest_key
from dicom_node.storage.file_meta import read_file_meta
from dicom_node.storage.header import read_header
from dicom_node.storage.incoming_file import IncomingFile
from tests.fuzz.seeds import CONTEXTS, SYNTAXES

#: As in earnest, only less: what counts is that there is a limit.
_LARGEST_OBJECT_BYTES: Final = 1 << 20
_DATA_SET_AT: Final = 128 + 4


class Wire:
    """A socket that gives bytes as they were sent, in the pieces they were sent in, then ends."""

    def __init__(self, sent: bytes) -> None:
        # The first byte says how much comes at a time.
        self._piece_bytes = (1, 7, 100, 1 << 20)[sent[0] % 4] if sent else 1
        self._rest = memoryview(sent)[1:]
        self.answers: list[bytes] = []

    def setsockopt(self, *_option: object) -> None:
        """Nothing waits here."""

    def setblocking(self, _flag: bool) -> None:
        """Nothing waits here."""

    def recv_into(self, view: memoryview, _length_bytes: int, _flags: int) -> int:
        """Give the next piece, 0 at the end."""
        length = min(len(view), len(self._rest), self._piece_bytes)
        view[:length], self._rest = self._rest[:length], self._rest[length:]
        return length

    def sendall(self, pdu: bytes) -> None:
        """Keep an answer."""
        self.answers.append(bytes(pdu))


@cache
def open_fuzz_archive() -> Archive:
    """Return a real archive in a folder of its own, in memory where there is such a disk."""
    memory = Path("/dev/shm")  # noqa: S108 - our own folder is made in it
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    atexit.register(shutil.rmtree, folder)
    settings = Settings(home=folder, maximum_object_mib=_LARGEST_OBJECT_BYTES >> 20)
    database = Database(settings.database)
    migrate(database)
    archive = open_archive(settings, database, Storage(settings.storage))
    archive.prepare()
    return archive


def receiver_on(wire: Wire, archive: Archive) -> StoreReceiver:
    """Return what reads the stream of one association."""
    return StoreReceiver(
        Connection(wire, lambda: False, lambda: False, MAXIMUM_PDU_BYTES, 5.0),  # type: ignore[arg-type]
        archive,
        "DEVICE1",
        {number: AcceptedContext(*names) for number, names in CONTEXTS.items()},
        stall_seconds=5.0,
    )


def store_receiver(sent: bytes) -> None:
    """One association's stream: every answer is well-formed, and nothing half-written is left."""
    archive, wire = open_fuzz_archive(), Wire(sent)
    receiver = receiver_on(wire, archive)
    with suppress(OSError, MalformedPDU, ProtocolViolated):
        while foreign := receiver.serve():
            for pdu in foreign:
                _check_pdu(pdu)
    for answer in wire.answers:
        _check_pdu(answer)
        assert answer.count(b"\0\0\0\x01\x02\0\0\0\x01\x80") == 1, "an answer is no response"
    _check_nothing_unfinished(archive)


def incoming_file(content: bytes) -> None:
    """A DICOM file in three pieces."""
    archive = open_fuzz_archive()
    third = max(1, len(content) // 3)
    incoming = IncomingFile(archive, "STOW", None)
    try:
        for start in range(0, len(content), third):
            incoming.write(content[start : start + third])
        outcome = incoming.keep()
    except NodeError:
        incoming.discard()
    else:
        # Only one of the same UID is kept, so what is kept is this one.
        kept = archive.storage.read(digest_key(outcome.digest))
        assert sha256(kept[-_data_set_bytes(incoming, content) :]).hexdigest() == outcome.digest
    _check_nothing_unfinished(archive)


def header(data: bytes) -> None:
    """A data set; its first byte chooses among the transfer syntaxes."""
    syntax = SYNTAXES[data[0] % len(SYNTAXES)] if data else SYNTAXES[0]
    with suppress(NodeError):
        read_header(data[1:], syntax, _LARGEST_OBJECT_BYTES)


def file_meta(head: bytes) -> None:
    """The head of a file: the same whether it comes whole or with what follows."""
    with suppress(FileInvalid):
        meta = read_file_meta(head)
        assert meta is None or meta.length_bytes <= len(head)


def command(content: bytes) -> None:
    """A command set: what is read can be answered."""
    announces_data_set(content)
    request = read_store_request(content)
    if request is not None:
        response = store_response(request, 0xC000, "cannot be understood")
        assert len(response) % 2 == 0
        assert read_store_request(response) is None
        assert isinstance(request, StoreRequest)


def pdu(content: bytes) -> None:
    """The body of a P-DATA-TF: its fragments make it up again."""
    with suppress(MalformedPDU):
        parts = list(fragments_of(memoryview(content)))
        assert sum(len(part.data) + PDU_HEADER_BYTES for part in parts) == len(content)
        for part in parts:
            _check_pdu(fragment_pdu(part))


def opening(content: bytes) -> None:
    """The first bytes of a connection."""
    for kind in (association_request(MAXIMUM_PDU_BYTES), CLIENT_HELLO):
        if len(content) >= kind.header_bytes:
            assert 0 <= kind.measure(content[: kind.header_bytes]) <= MAXIMUM_PDU_BYTES + 6


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    target.__name__: target
    for target in (store_receiver, incoming_file, header, file_meta, command, pdu, opening)
}


def _check_pdu(content: bytes) -> None:
    parsed = PDUHeader.parse(content[:PDU_HEADER_BYTES])
    assert parsed.length == len(content) - PDU_HEADER_BYTES
    if parsed.pdu_type == P_DATA_TF:
        list(fragments_of(memoryview(content)[PDU_HEADER_BYTES:]))


def _check_nothing_unfinished(archive: Archive) -> None:
    for storage in (archive.storage, archive.quarantine):
        assert not list((storage.root / ".unfinished").iterdir()), "something half-written is left"


def _data_set_bytes(incoming: IncomingFile, content: bytes) -> int:
    assert incoming.meta is not None
    return len(content) - incoming.meta.length_bytes
