"""Whatever one peer does on its connection, others store, and nothing half-written is left."""

import json
import struct
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from shutil import copyfile

import pytest
from sqlmodel import select

from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from dicom_node.storage.part10 import EncodedInstance
from tests.builders.association_request import associate_request
from tests.builders.encoded_instance import encode_instance
from tests.builders.messages import CONTEXT_ID, fragments, pdu_of, store_command, store_message
from tests.fixtures.dicom_server import Node, running_node
from tests.fixtures.logs import configured_logs
from tests.fixtures.raw_peer import GONE, Heard, RawPeer, abort, raw_peer
from tests.fixtures.serving_threads import count_serving_threads

PATIENCE_SECONDS = 60.0
NUMBERS = count(1)
VICTIM = encode_instance(SOPInstanceUID="1.2.3.9.9.9", PixelData=bytes(60_000))
COMMAND = pdu_of(fragments(store_command(VICTIM), is_command=True))
HALF = pdu_of(fragments(VICTIM.data_set, is_command=False, sizes=[30_000])[:1])
REST = pdu_of(fragments(VICTIM.data_set, is_command=False, sizes=[30_000])[1:])
RELEASE = struct.pack(">BBII", 5, 0, 4, 0)
RELEASE_REPLY = struct.pack(">BBII", 6, 0, 4, 0)
USER_ABORT = struct.pack(">BBIBBBB", 7, 0, 4, 0, 0, 0, 0)
#: What is heard of a peer that stalls: nothing yet.
SILENCE = Heard(-1)
ABORT = 7
RELEASED = Heard(6, bytes(4))
NOT_SPECIFIED, UNRECOGNISED_PDU = abort(0), abort(1)
UNEXPECTED_PDU, WRONG_PARAMETER = abort(2), abort(6)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, sqlite_template: object) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("node")
    copyfile(str(sqlite_template), folder / "arcuate.db")
    settings = Settings(home=folder, dicom_port=0, http_port=0, auth="none")
    database = Database(settings.database)
    with running_node(settings, database) as running:
        yield running
    database.close()


@dataclass(frozen=True)
class Misdeed:
    """What a peer sends; whether on an association; what it hears of it in the end."""

    sent: bytes
    answer: Heard
    is_associated: bool = True
    #: Where it depends on what was read first.
    other_answer: Heard | None = None


def pdu(kind: int, body: bytes, length: int | None = None) -> bytes:
    return struct.pack(">BBI", kind, 0, len(body) if length is None else length) + body


def fragment(length: int, context_id: int, control: int, data: bytes) -> bytes:
    """A presentation data value with any length in front."""
    return struct.pack(">IBB", length, context_id, control) + data


def on_context(number: int) -> bytes:
    return pdu_of(fragments(store_command(VICTIM), is_command=True, context_id=number))


def data_on_context(number: int) -> bytes:
    return pdu_of(fragments(VICTIM.data_set, is_command=False, context_id=number))


FOUR_GIGABYTES = 0xFFFFFFFF
MISDEEDS = {
    # Stalls: the connection stays open, and silent.
    "silence_from_the_start": Misdeed(b"", SILENCE, is_associated=False),
    "stall_in_the_request": Misdeed(associate_request()[:40], SILENCE, is_associated=False),
    "stall_between_messages": Misdeed(b"", SILENCE),
    "stall_in_a_pdu_header": Misdeed(COMMAND[:3], SILENCE),
    "stall_in_a_command": Misdeed(COMMAND[:40], SILENCE),
    "stall_behind_a_command": Misdeed(COMMAND, SILENCE),
    "stall_in_a_data_set": Misdeed(COMMAND + HALF, SILENCE),
    "stall_in_a_pdu_of_a_data_set": Misdeed(COMMAND + HALF + REST[:1000], SILENCE),
    # Aborts and releases.
    "abort_instead_of_a_request": Misdeed(USER_ABORT, GONE, is_associated=False),
    "abort_between_messages": Misdeed(USER_ABORT, GONE),
    "abort_behind_a_command": Misdeed(COMMAND + USER_ABORT, GONE),
    "abort_in_a_data_set": Misdeed(COMMAND + HALF + USER_ABORT, GONE),
    "release_in_a_data_set": Misdeed(COMMAND + HALF + RELEASE, RELEASED),
    "a_message_behind_the_release": Misdeed(
        RELEASE + COMMAND + HALF + REST, RELEASED, other_answer=NOT_SPECIFIED
    ),
    # PDUs nobody expects.
    "noise_instead_of_a_request": Misdeed(b"GET / HTTP/1.1\r\n\r\n", GONE, is_associated=False),
    "a_message_instead_of_a_request": Misdeed(COMMAND + HALF + REST, GONE, is_associated=False),
    "a_pdu_of_no_type": Misdeed(pdu(0x99, b"abcd"), UNRECOGNISED_PDU),
    "noise_on_an_association": Misdeed(b"\xde\xad\0\0\0\x04beef" * 9, UNRECOGNISED_PDU),
    "a_second_request": Misdeed(associate_request(), UNEXPECTED_PDU),
    "an_acceptance": Misdeed(pdu(0x02, associate_request()[6:]), UNEXPECTED_PDU),
    "a_rejection": Misdeed(pdu(0x03, bytes((0, 1, 1, 1))), UNEXPECTED_PDU),
    "a_release_reply": Misdeed(RELEASE_REPLY, UNEXPECTED_PDU),
    "a_second_request_in_a_data_set": Misdeed(COMMAND + HALF + associate_request(), UNEXPECTED_PDU),
    "an_empty_abort": Misdeed(pdu(0x07, b""), WRONG_PARAMETER),
    # Wrong lengths.
    "a_request_of_4_gb": Misdeed(pdu(0x01, b"x" * 100, FOUR_GIGABYTES), GONE, is_associated=False),
    "a_pdu_of_4_gb": Misdeed(pdu(0x04, b"x" * 100, FOUR_GIGABYTES), NOT_SPECIFIED),
    "a_pdu_of_4_gb_in_a_data_set": Misdeed(
        COMMAND + HALF + pdu(0x04, b"x" * 100, FOUR_GIGABYTES), NOT_SPECIFIED
    ),
    "a_fragment_of_4_gb": Misdeed(
        pdu(0x04, fragment(FOUR_GIGABYTES, CONTEXT_ID, 3, b"x" * 9)), WRONG_PARAMETER
    ),
    "a_fragment_longer_than_its_pdu": Misdeed(
        COMMAND + pdu(0x04, fragment(12, CONTEXT_ID, 0, b"x" * 9)), WRONG_PARAMETER
    ),
    "a_fragment_shorter_than_its_pdu": Misdeed(
        COMMAND + pdu(0x04, fragment(10, CONTEXT_ID, 0, b"x" * 9)), WRONG_PARAMETER
    ),
    "a_fragment_of_no_length": Misdeed(pdu(0x04, fragment(0, CONTEXT_ID, 3, b"")), WRONG_PARAMETER),
    "a_fragment_without_its_header": Misdeed(pdu(0x04, b"\0\0\0"), WRONG_PARAMETER),
    "a_pdu_shorter_than_its_content": Misdeed(
        COMMAND + struct.pack(">BBI", 4, 0, 50) + HALF[6:], WRONG_PARAMETER
    ),
    # Wrong order.
    "data_without_a_command": Misdeed(HALF + REST, UNEXPECTED_PDU),
    "the_end_of_the_data_before_its_beginning": Misdeed(REST + COMMAND + HALF, UNEXPECTED_PDU),
    "data_in_a_command": Misdeed(
        pdu_of(fragments(store_command(VICTIM), is_command=True, sizes=[20])[:1]) + HALF,
        UNEXPECTED_PDU,
    ),
    "a_command_in_the_data": Misdeed(COMMAND + HALF + COMMAND, UNEXPECTED_PDU),
    "a_command_without_end": Misdeed(
        pdu_of(fragments(b"x" * 60_000, is_command=True, sizes=[59_999])[:1]) * 2, UNEXPECTED_PDU
    ),
    # Wrong contexts.
    "a_context_nobody_proposed": Misdeed(on_context(9) + data_on_context(9), UNEXPECTED_PDU),
    "an_even_context": Misdeed(on_context(2) + data_on_context(2), UNEXPECTED_PDU),
    "context_zero": Misdeed(on_context(0) + data_on_context(0), UNEXPECTED_PDU),
    "data_on_another_context": Misdeed(COMMAND + data_on_context(3), UNEXPECTED_PDU),
}


def next_instance() -> EncodedInstance:
    return encode_instance(SOPInstanceUID=f"1.2.3.1.1.{next(NUMBERS)}", PixelData=bytes(20_000))


def commit_misdeed(peer: RawPeer, misdeed: Misdeed) -> None:
    if misdeed.is_associated:
        peer.associate()
    # It may be thrown out before it said all.
    with suppress(ConnectionError):
        peer.send(misdeed.sent)


def assert_nothing_is_left(node: Node) -> None:
    unfinished = node.archive.storage.root / ".unfinished"
    assert wait_until(lambda: not list(unfinished.iterdir()), PATIENCE_SECONDS)
    with node.database.reading() as session:
        rows = {row.sop_instance_uid: row for row in session.exec(select(InstanceRow)).all()}
    assert VICTIM.sop_instance_uid not in rows
    for row in rows.values():
        kept = node.archive.storage.read(row.storage_key)[-row.size_bytes :]
        assert sha256(kept).hexdigest() == row.digest


@pytest.mark.parametrize("name", MISDEEDS)
def test_others_store_whatever_one_peer_does(node: Node, name: str) -> None:
    misdeed = MISDEEDS[name]
    threads = count_serving_threads()

    with raw_peer(node.port) as neighbour:
        neighbour.associate()
        before = neighbour.store(next_instance())
        with raw_peer(node.port) as peer, raw_peer(node.port) as newcomer:
            commit_misdeed(peer, misdeed)
            meanwhile = neighbour.store(next_instance())
            newcomer.associate()
            newly = newcomer.store(next_instance())
            if misdeed.answer != SILENCE:
                assert peer.hear() in (misdeed.answer, misdeed.other_answer)
            newcomer.release()
        after = neighbour.store(next_instance())
        neighbour.release()

    assert (before, meanwhile, newly, after) == (0, 0, 0, 0)
    assert_nothing_is_left(node)
    assert wait_until(lambda: count_serving_threads() <= threads, PATIENCE_SECONDS)


@pytest.mark.parametrize("sent", [b"", COMMAND[:3], COMMAND, COMMAND + HALF, COMMAND + HALF + REST])
def test_others_store_when_one_connection_breaks(node: Node, sent: bytes) -> None:
    with raw_peer(node.port) as neighbour, raw_peer(node.port) as peer:
        neighbour.associate()
        peer.associate()
        peer.send(sent)
        peer.reset()
        status = neighbour.store(next_instance())
        neighbour.release()

    assert status == 0
    unfinished = node.archive.storage.root / ".unfinished"
    assert wait_until(lambda: not list(unfinished.iterdir()), PATIENCE_SECONDS)


def test_a_store_that_comes_byte_by_byte_is_kept(node: Node) -> None:
    encoded = encode_instance(SOPInstanceUID="1.2.3.1.2.1")
    message = store_message(encoded)

    with raw_peer(node.port) as peer, raw_peer(node.port) as neighbour:
        peer.associate()
        neighbour.associate()
        statuses = []
        for position in range(len(message)):
            peer.send(message[position : position + 1])
            if position % 200 == 0:
                statuses.append(neighbour.store(next_instance()))
        assert peer.hear_status() == 0
        for one in (peer, neighbour):
            one.release()

    assert statuses
    assert set(statuses) == {0}


def test_many_peers_whose_stores_are_interleaved_piece_by_piece_are_all_kept(node: Node) -> None:
    encoded = [encode_instance(SOPInstanceUID=f"1.2.3.1.3.{n}") for n in range(1, 7)]
    messages = [store_message(one) for one in encoded]
    with ExitStack() as connections:
        peers = [connections.enter_context(raw_peer(node.port)) for _ in messages]
        for peer in peers:
            peer.associate()
        for start in range(0, max(map(len, messages)), 37):
            for peer, message in zip(peers, messages, strict=True):
                peer.send(message[start : start + 37])
        statuses = [peer.hear_status() for peer in peers]
        for peer in peers:
            peer.release()

    assert statuses == [0] * 6


@pytest.mark.parametrize(
    "name", [name for name, misdeed in MISDEEDS.items() if misdeed.answer.kind == ABORT]
)
def test_a_peer_that_is_broken_off_is_logged_once_by_name(
    node: Node, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with configured_logs(), raw_peer(node.port) as peer:
        commit_misdeed(peer, MISDEEDS[name])
        assert peer.hear() == MISDEEDS[name].answer
        assert peer.hear() == GONE

    [line] = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["event"], line["peer"]) == ("association_broken_off", "DEVICE1")
    assert line["cause"]
