"""Queries taken out of what comes on an association, answered over a real socket."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from dicom_node.receive.answers import Answers, PeerGone
from dicom_node.receive.commands import find_response, match_response
from dicom_node.receive.connection import Connection, Interrupted
from dicom_node.receive.find_receiver import MAXIMUM_IDENTIFIER_BYTES, FindReceiver, Query
from dicom_node.receive.pdu import MalformedPDU
from dicom_node.receive.store_receiver import AcceptedContext, ProtocolViolated
from tests.builders.messages import CONTEXT_ID, command_set, fragments, pdu_of

MODEL = "1.2.840.10008.5.1.4.1.2.2.1"
OTHER_CONTEXT = 3
RELEASE_REQUEST = struct.pack(">BBII", 5, 0, 4, 0)


def find_command(message_id: int = 1, data_set_type: int = 0) -> bytes:
    return command_set(
        [
            (0x0002, MODEL.encode() + b"\0"),
            (0x0100, struct.pack("<H", 0x0020)),
            (0x0110, struct.pack("<H", message_id)),
            (0x0800, struct.pack("<H", data_set_type)),
        ]
    )


def cancel(message_id: int) -> bytes:
    command = command_set(
        [
            (0x0100, struct.pack("<H", 0x0FFF)),
            (0x0120, struct.pack("<H", message_id)),
            (0x0800, struct.pack("<H", 0x0101)),
        ]
    )
    return pdu_of(fragments(command, is_command=True))


def pdus(content: bytes, *, is_command: bool, sizes: tuple[int, ...] = ()) -> list[bytes]:
    parts = fragments(content, is_command=is_command, sizes=sizes)
    return [pdu_of([part]) for part in parts]


@dataclass
class Wire:
    """A receiver at one end of a connection, the peer's end, and what was asked."""

    peer: socket.socket
    must_end: threading.Event
    asked: list[Query] = field(default_factory=list)
    answer: Callable[[Query, Answers], None] = lambda query, answers: None
    receiver: FindReceiver = field(init=False)
    connection: Connection = field(init=False)

    def answer_query(self, query: Query, answers: Answers) -> None:
        self.asked.append(query)
        self.answer(query, answers)


@pytest.fixture
def wire() -> Iterator[Wire]:
    ours, peer = socket.socketpair()
    ended = threading.Event()
    made = Wire(peer, ended)
    made.connection = Connection(ours, ended.is_set, lambda: False, 1 << 20, 0.3)
    made.connection.take_over()
    contexts = {
        CONTEXT_ID: AcceptedContext(MODEL, "1.2.840.10008.1.2"),
        OTHER_CONTEXT: AcceptedContext("1.2.840.10008.1.1", "1.2.840.10008.1.2"),
    }
    made.receiver = FindReceiver(
        made.connection, "VIEWER", contexts, 16_384, {MODEL: made.answer_query}
    )
    with ours, peer:
        yield made


@pytest.mark.parametrize("sizes", [(), (4,), (1, 0, 7)])
def test_a_query_is_whole_when_its_last_fragment_came(wire: Wire, sizes: tuple[int, ...]) -> None:
    command = pdus(find_command(7), is_command=True, sizes=(10, 3))
    *earlier, last = pdus(b"an identifier", is_command=False, sizes=sizes)

    assert wire.receiver.take([*command, *earlier]) == []
    assert wire.asked == []
    assert wire.receiver.take([last]) == []

    [query] = wire.asked
    assert query.identifier == b"an identifier"
    assert (query.calling_ae_title, query.request.message_id) == ("VIEWER", 7)


def test_a_query_without_identifier_is_answered_too(wire: Wire) -> None:
    assert wire.receiver.take(pdus(find_command(1, 0x0101), is_command=True)) == []
    assert [query.identifier for query in wire.asked] == [None]


def test_an_identifier_beyond_the_bound_is_not_kept(wire: Wire) -> None:
    long = bytes(MAXIMUM_IDENTIFIER_BYTES + 1)

    wire.receiver.take(pdus(find_command(), is_command=True) + pdus(long, is_command=False))

    assert [(query.identifier, query.is_too_large) for query in wire.asked] == [(b"", True)]


def test_what_is_no_query_is_handed_back(wire: Wire) -> None:
    echo = command_set([(0x0100, b"\x30\x00"), (0x0110, b"\x01\x00"), (0x0800, b"\x01\x01")])
    elsewhere = fragments(find_command(), is_command=True, context_id=OTHER_CONTEXT)
    sent = [
        *pdus(echo, is_command=True, sizes=(5,)),
        pdu_of(elsewhere),
        *pdus(b"data", is_command=False),
        RELEASE_REQUEST,
    ]

    assert wire.receiver.take(sent) == sent
    assert wire.asked == []


def test_a_release_cuts_a_query_short(wire: Wire) -> None:
    command = pdus(find_command(), is_command=True)

    assert wire.receiver.take([*command, RELEASE_REQUEST]) == [RELEASE_REQUEST]
    assert wire.receiver.take(pdus(b"late", is_command=False)) == pdus(b"late", is_command=False)
    assert wire.asked == []


def test_another_command_before_the_identifier_breaks_the_protocol(wire: Wire) -> None:
    with pytest.raises(ProtocolViolated):
        wire.receiver.take(pdus(find_command(1), is_command=True) * 2)


def ask(wire: Wire, message_id: int = 1) -> None:
    command, identifier = find_command(message_id), b"identifier"
    wire.receiver.take(pdus(command, is_command=True) + pdus(identifier, is_command=False))


def look(query: Query, answers: Answers) -> None:
    answers.is_cancelled()


def test_answers_arrive_cut_as_the_peer_takes_them(wire: Wire) -> None:
    def answer(query: Query, answers: Answers) -> None:
        answers.add(match_response(query.request, 0xFF00), bytes(20_000))
        answers.add(find_response(query.request, 0x0000))
        answers.flush()

    wire.answer = answer
    ask(wire)

    wire.peer.settimeout(5)
    heard = b""
    while len(heard) < 20_000 + 2 * 80 + 4 * 12:
        heard += wire.peer.recv(65_536)
    lengths = []
    while heard:
        (length,) = struct.unpack_from(">I", heard, 2)
        lengths.append(length)
        heard = heard[6 + length :]
    assert len(lengths) == 4
    assert max(lengths) == 16_384


@pytest.mark.parametrize(
    ("came", "is_cancelled"),
    [(cancel(1), True), (cancel(2), False), (RELEASE_REQUEST, True), (b"", False)],
)
def test_a_cancel_is_seen_between_answers(wire: Wire, came: bytes, is_cancelled: bool) -> None:
    seen = []
    wire.answer = lambda query, answers: seen.append(answers.is_cancelled())
    wire.peer.sendall(came)

    ask(wire)

    assert seen == [is_cancelled]
    # All but what it was about is read by whoever reads next.
    left = wire.connection.read_pdu(0.01)
    assert (None if left is None else bytes(left)) == (None if came in {cancel(1), b""} else came)


def test_a_peer_that_left_is_noticed(wire: Wire) -> None:
    wire.answer = look
    wire.peer.close()

    with pytest.raises(PeerGone):
        ask(wire)


def test_a_peer_that_reads_nothing_is_given_up(wire: Wire) -> None:
    def answer(query: Query, answers: Answers) -> None:
        for _ in range(10_000):
            answers.add(match_response(query.request, 0xFF00), bytes(10_000))

    wire.answer = answer

    with pytest.raises(PeerGone):
        ask(wire)


def test_what_is_no_pdu_is_told_to_whoever_reads(wire: Wire) -> None:
    wire.answer = look
    wire.peer.sendall(struct.pack(">BBI", 4, 0, 3) + b"bad")

    with pytest.raises(MalformedPDU):
        ask(wire)


def test_an_association_that_must_end_ends_between_answers(wire: Wire) -> None:
    wire.answer = look
    wire.must_end.set()

    with pytest.raises(Interrupted):
        ask(wire)
