import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

import pytest
from pynetdicom.dimse_messages import C_ECHO_RQ
from pynetdicom.dimse_primitives import C_ECHO
from pynetdicom.dsutils import encode
from sqlmodel import func, select

from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from dicom_node.receive.connection import Connection, ConnectionBroken, Interrupted
from dicom_node.receive.pdu import MalformedPDU
from dicom_node.receive.store_receiver import AcceptedContext, ProtocolViolated, StoreReceiver
from dicom_node.statuses import Status
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.digest_key import digest_key
from tests.builders.encoded_instance import as_file, encode_instance
from tests.builders.messages import (
    CONTEXT_ID,
    command_set,
    fragments,
    pdu_of,
    store_command,
    store_message,
)

RELEASE_REQUEST = struct.pack(">BBII", 5, 0, 4, 0)
ENCODED = encode_instance(PixelData=bytes(range(256)) * 8)


@dataclass
class Wire:
    """A receiver at one end of a connection, and the peer's end."""

    receiver: StoreReceiver
    archive: Archive
    peer: socket.socket

    def serve(self, sent: bytes) -> list[bytes]:
        """Send all, close our side for writing, and return what the receiver hands back."""
        sending = threading.Thread(target=self._send, args=(sent,))
        sending.start()
        try:
            return list(self.receiver.serve())
        finally:
            sending.join()

    def statuses(self) -> list[int]:
        """Return the status of each response that came."""
        self.peer.settimeout(0.2)
        answer, found = b"", []
        try:
            while part := self.peer.recv(65536):
                answer += part
        except TimeoutError:
            pass
        while answer:
            (length,) = struct.unpack_from(">I", answer, 2)
            command = answer[12 : 6 + length]
            at = command.index(struct.pack("<HHI", 0, 0x0900, 2)) + 8
            found.append(int.from_bytes(command[at : at + 2], "little"))
            answer = answer[6 + length :]
        return found

    def files(self) -> list[str]:
        root = self.archive.storage.root
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())

    def _send(self, sent: bytes) -> None:
        self.peer.sendall(sent)
        self.peer.shutdown(socket.SHUT_WR)


@pytest.fixture
def wanted() -> threading.Event:
    return threading.Event()


@pytest.fixture
def sending() -> threading.Event:
    return threading.Event()


@pytest.fixture
def wire(
    settings: Settings, database: Database, wanted: threading.Event, sending: threading.Event
) -> Iterator[Wire]:
    archive = open_archive(settings, database, Storage(settings.storage))
    archive.prepare()
    ours, peer = socket.socketpair()
    receiver = StoreReceiver(
        Connection(ours, wanted.is_set, sending.is_set, 1 << 20, 5.0),
        archive,
        "DEVICE1",
        {CONTEXT_ID: AcceptedContext(OPHTHALMIC_TOMOGRAPHY, ENCODED.transfer_syntax_uid)},
        stall_seconds=0.3,
    )
    with ours, peer:
        yield Wire(receiver, archive, peer)


def count_instances(database: Database) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(InstanceRow)).one()


def test_a_store_is_kept_and_answered(wire: Wire) -> None:
    handed_back = wire.serve(store_message(ENCODED) + RELEASE_REQUEST)

    assert handed_back == [RELEASE_REQUEST]
    assert wire.statuses() == [Status.SUCCESS]
    [key] = wire.files()
    assert wire.archive.storage.read(key) == as_file(ENCODED)


def test_stores_follow_each_other_on_one_association(wire: Wire, database: Database) -> None:
    messages = [
        store_message(encode_instance(SOPInstanceUID=f"1.2.3.1.1.{n}"), n) for n in range(1, 6)
    ]

    wire.serve(b"".join(messages) + RELEASE_REQUEST)

    assert wire.statuses() == [Status.SUCCESS] * 5
    assert count_instances(database) == 5


def test_command_and_data_may_share_pdus_and_fragments_may_be_of_any_size(wire: Wire) -> None:
    command = fragments(store_command(ENCODED), is_command=True, sizes=[1, 0, 5])
    data = fragments(ENCODED.data_set, is_command=False, sizes=[0, 1, 2, 300, 0, 7])

    sent = [pdu_of(command[:2]), pdu_of([*command[2:], *data[:3]]), pdu_of(data[3:])]
    wire.serve(b"".join(sent) + RELEASE_REQUEST)

    assert wire.statuses() == [Status.SUCCESS]
    [key] = wire.files()
    assert wire.archive.storage.read(key) == as_file(ENCODED)


def test_one_byte_at_a_time_is_kept_too(wire: Wire) -> None:
    small = encode_instance()
    data = fragments(small.data_set, is_command=False, sizes=[1] * (len(small.data_set) - 1))
    whole = pdu_of(fragments(store_command(small), is_command=True))
    whole += b"".join(pdu_of([part]) for part in data)
    sending = threading.Thread(
        target=lambda: [wire.peer.send(whole[n : n + 1]) for n in range(len(whole))]
    )
    sending.start()

    assert wire.receiver.serve() == []

    sending.join()
    assert wire.statuses() == [Status.SUCCESS]


def echo_command() -> bytes:
    primitive = C_ECHO()
    primitive.MessageID = 9
    message = C_ECHO_RQ()
    message.primitive_to_message(primitive)
    return encode(message.command_set, True, True) or b""


def test_any_other_command_is_handed_back_as_it_came(wire: Wire) -> None:
    parts = fragments(echo_command(), is_command=True, sizes=[10])
    sent = [pdu_of([part]) for part in parts]

    handed_back = wire.serve(b"".join(sent) + RELEASE_REQUEST)

    assert handed_back == sent
    assert wire.receiver.serve() == [RELEASE_REQUEST]


@pytest.mark.parametrize("sizes", [[], [4], [1, 1, 1]])
def test_the_data_set_of_another_command_is_handed_back_too(wire: Wire, sizes: list[int]) -> None:
    other = command_set([(0x0100, b"\x30\x01"), (0x0110, b"\x01\x00"), (0x0800, b"\x00\x00")])
    parts = fragments(other, is_command=True) + fragments(
        b"data set", is_command=False, sizes=sizes
    )
    sent = [pdu_of([part]) for part in parts]

    handed_back = wire.serve(b"".join(sent) + store_message(ENCODED) + RELEASE_REQUEST)
    while len(handed_back) < len(sent):
        handed_back += wire.receiver.serve()

    assert handed_back == sent
    assert wire.receiver.serve() == [RELEASE_REQUEST]
    assert wire.statuses() == [Status.SUCCESS]


def test_a_command_that_is_none_is_handed_back(wire: Wire) -> None:
    garbage = pdu_of(fragments(b"\xff" * 40, is_command=True))

    assert wire.serve(garbage + RELEASE_REQUEST) == [garbage]


def test_a_refused_store_is_answered_and_the_next_one_kept(wire: Wire) -> None:
    other_class = replace(ENCODED, sop_class_uid="1.2.840.10008.5.1.4.1.1.77.1.5.1")
    no_patient = encode_instance(SOPInstanceUID="1.2.3.1.1.2", PatientID="")

    messages = [store_message(one) for one in (other_class, no_patient, ENCODED)]
    wire.serve(b"".join(messages) + RELEASE_REQUEST)

    assert wire.statuses() == [
        Status.SOP_CLASS_NOT_SUPPORTED,
        Status.CANNOT_UNDERSTAND,
        Status.SUCCESS,
    ]
    assert wire.files() == [digest_key_of_only(wire)]


def digest_key_of_only(wire: Wire) -> str:
    with wire.archive.database.reading() as session:
        return digest_key(session.exec(select(InstanceRow.digest)).one())


def test_a_store_without_data_set_is_refused(wire: Wire) -> None:
    command = store_command(ENCODED, data_set_type=0x0101)

    wire.serve(pdu_of(fragments(command, is_command=True)) + RELEASE_REQUEST)

    assert wire.statuses() == [Status.CANNOT_UNDERSTAND]
    assert wire.files() == []


HALF = pdu_of(fragments(store_command(ENCODED), is_command=True)) + pdu_of(
    fragments(ENCODED.data_set, is_command=False, sizes=[100])[:1]
)


def test_an_abort_in_the_middle_leaves_nothing(wire: Wire, database: Database) -> None:
    abort = struct.pack(">BBIBBBB", 7, 0, 4, 0, 0, 0, 0)

    assert wire.serve(HALF + abort) == [abort]
    assert (wire.files(), count_instances(database)) == ([], 0)


def test_a_peer_that_leaves_in_the_middle_leaves_nothing(wire: Wire) -> None:
    with pytest.raises(ConnectionBroken, match="left"):
        wire.serve(HALF)

    assert wire.files() == []


@pytest.mark.parametrize(("fragment_seconds", "is_kept"), [(0.0001, True), (0.1, False)])
def test_a_peer_that_trickles_is_given_up(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, fragment_seconds: float, is_kept: bool
) -> None:
    # Each fragment is asked for and comes: two looks at the clock.
    moments = count(0.0, fragment_seconds)
    monkeypatch.setattr("dicom_node.receive.store_receiver.monotonic", lambda: next(moments))
    command = pdu_of(fragments(store_command(ENCODED), is_command=True))
    data_set = fragments(ENCODED.data_set, is_command=False, sizes=[64] * 20)
    message = command + b"".join(pdu_of([part]) for part in data_set)

    if is_kept:
        assert wire.serve(message + RELEASE_REQUEST) == [RELEASE_REQUEST]
        assert wire.statuses() == [Status.SUCCESS]
        return
    with pytest.raises(ConnectionBroken, match="trickles"):
        wire.serve(message + RELEASE_REQUEST)
    assert wire.files() == []


def test_a_peer_that_stalls_in_the_middle_is_given_up(wire: Wire) -> None:
    wire.peer.sendall(HALF)

    with pytest.raises(ConnectionBroken, match="stalls"):
        wire.receiver.serve()

    assert wire.files() == []


def test_an_abort_of_ours_interrupts_a_message(wire: Wire, wanted: threading.Event) -> None:
    wire.peer.sendall(HALF)
    wanted.set()

    with pytest.raises(Interrupted):
        wire.receiver.serve()

    assert wire.files() == []


def test_a_message_of_ours_waits_for_the_one_that_arrives(
    wire: Wire, sending: threading.Event
) -> None:
    sending.set()
    rest = pdu_of(fragments(ENCODED.data_set[100:], is_command=False))
    wire.peer.sendall(HALF)
    # Between messages it goes first: nothing is read yet.
    assert wire.receiver.serve() == []
    sending.clear()
    threading.Timer(0.25, lambda: (sending.set(), wire.peer.sendall(rest))).start()

    # The pause is longer than a look up, and a message has begun.
    assert wire.receiver.serve() == []

    assert wire.statuses() == [Status.SUCCESS]


def test_a_data_set_without_end_is_broken_off(wire: Wire) -> None:
    object.__setattr__(wire.archive, "maximum_object_bytes", 100)
    command = pdu_of(fragments(store_command(ENCODED), is_command=True))
    part = pdu_of(fragments(b"x" * 1800, is_command=False, sizes=[900])[:1])

    with pytest.raises(ProtocolViolated, match="far beyond"):
        wire.serve(command + part * 8)

    assert wire.files() == []


def test_empty_fragments_do_not_make_a_command_without_end(wire: Wire) -> None:
    empty = fragments(b"", is_command=True, sizes=[0] * 20_000)[:-1]

    with pytest.raises(ProtocolViolated):
        wire.serve(pdu_of(empty))


@pytest.mark.parametrize(
    "second",
    [
        pdu_of(fragments(store_command(ENCODED), is_command=True)),
        pdu_of(fragments(b"rest", is_command=False, context_id=3)),
    ],
)
def test_another_message_in_the_middle_breaks_the_protocol(wire: Wire, second: bytes) -> None:
    with pytest.raises(ProtocolViolated):
        wire.serve(HALF + second)

    assert wire.files() == []


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (pdu_of(fragments(b"data", is_command=False)), ProtocolViolated),
        (
            pdu_of(fragments(store_command(ENCODED), is_command=True, context_id=9)),
            ProtocolViolated,
        ),
        (pdu_of(fragments(b"x" * 70_000, is_command=True, sizes=[69_000])), ProtocolViolated),
        (b"\x04\0\0\0\0\x04\xff\xff\xff\xff", MalformedPDU),
        (b"\x04\0\xff\xff\xff\xff", ConnectionBroken),
        (b"\x04\0\0", ConnectionBroken),
    ],
)
def test_what_breaks_the_protocol_is_named(wire: Wire, sent: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        wire.serve(sent)


def test_silence_gives_the_association_back(wire: Wire) -> None:
    assert wire.receiver.serve() == []


def test_a_command_with_elements_of_other_lengths_is_not_ours(wire: Wire) -> None:
    odd = command_set([(0x0100, b"\x01\x00"), (0x0110, b"\x01")])
    sent = pdu_of(fragments(odd, is_command=True))

    assert wire.serve(sent + RELEASE_REQUEST) == [sent]
