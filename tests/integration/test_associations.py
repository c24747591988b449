import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage, Verification  # type: ignore[attr-defined]
from sqlmodel import select

from core.database import Database
from core.settings import Settings
from core.tables.changes import ChangeKind, ChangeRow
from core.tables.peers import PeerRow
from dicom_node.application_entity import PortUnavailable
from dicom_node.calling_errors import AssociationRejected, PeerUnreachable
from dicom_node.peers import PeerAddress, add_peer, list_refused_callers
from dicom_node.scu.echo import echo
from tests.builders.messages import command_set, fragments, pdu_of
from tests.fixtures.dicom_server import DEVICE, Node, running_node
from tests.fixtures.serving_threads import count_serving_threads


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        threading.Event().wait(0.02)


def test_echo_of_a_known_peer_is_answered_and_its_visit_recorded(node: Node) -> None:
    assert echo(node.address, DEVICE) < 10

    with node.database.reading() as session:
        assert session.get_one(PeerRow, DEVICE).last_seen_at is not None


def test_echoscu_is_answered(node: Node, need: Callable[[str], None]) -> None:
    need("echoscu")

    assert subprocess.run(["echoscu", *node.dcmtk], timeout=60, check=False).returncode == 0


def test_echoscu_of_an_unknown_caller_is_rejected_in_the_standards_words(
    node: Node, need: Callable[[str], None]
) -> None:
    need("echoscu")

    run = subprocess.run(
        ["echoscu", "-aet", "STRANGER", "-aec", "ARCUATE", "127.0.0.1", str(node.port)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 1
    assert "Rejected Permanent, Source: Service User" in run.stderr
    assert "Calling AE Title Not Recognized" in run.stderr


def test_an_unknown_caller_is_counted_and_announced_once(node: Node) -> None:
    for _ in range(3):
        with pytest.raises(AssociationRejected, match="Calling AE title not recognised"):
            echo(node.address, "STRANGER")

    with node.database.reading() as session:
        [caller] = list_refused_callers(session)
        changes = session.exec(select(ChangeRow.kind, ChangeRow.subject)).all()
    assert (caller.calling_ae_title, caller.address, caller.count) == ("STRANGER", "127.0.0.1", 3)
    assert caller.last_seen_at > caller.first_seen_at
    assert [tuple(change) for change in changes] == [(ChangeKind.CALLER_REFUSED, "STRANGER")]


def test_a_wrong_called_ae_title_is_rejected(node: Node) -> None:
    wrong = PeerAddress("OTHER", "127.0.0.1", node.port)

    with pytest.raises(AssociationRejected, match="Called AE title not recognised"):
        echo(wrong, DEVICE)

    with node.database.reading() as session:
        [caller] = list_refused_callers(session)
    assert (caller.called_ae_title, caller.reason) == ("OTHER", "called_ae_title_not_recognised")


def test_a_known_title_from_a_wrong_address_is_rejected(node: Node) -> None:
    with node.database.transaction() as session:
        add_peer(session, DEVICE, "192.0.2.0/24")

    with pytest.raises(AssociationRejected, match="Calling AE title not recognised"):
        echo(node.address, DEVICE)


def test_unknown_peers_come_in_where_the_settings_say_so(
    settings: Settings, database: Database
) -> None:
    open_settings = settings.model_copy(update={"allow_unknown_peers": True})
    with running_node(open_settings, database) as node:
        assert echo(node.address, "STRANGER") < 10


def test_nobody_comes_in_while_the_list_cannot_be_read(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> bool:
        raise RuntimeError("not a fault we know")

    with monkeypatch.context() as patch:
        patch.setattr("dicom_node.admission.calls_from_its_host", broken)
        with pytest.raises(AssociationRejected, match="Temporary congestion"):
            echo_until_heard(node)

    assert echo(node.address, DEVICE) < 10


def echo_until_heard(node: Node) -> float:
    # A caller that is slow may find the connection closed before it reads why it was rejected.
    for _ in range(3):
        with suppress(PeerUnreachable):
            return echo(node.address, DEVICE)
    return echo(node.address, DEVICE)


def has_room(node: Node) -> bool:
    try:
        return echo(node.address, DEVICE) < 10
    except AssociationRejected:
        return False


def test_one_association_too_many_is_rejected_and_room_comes_back(
    settings: Settings, database: Database
) -> None:
    two = settings.model_copy(update={"maximum_associations": 2})
    caller = AE(DEVICE)
    caller.add_requested_context(Verification)
    with running_node(two, database) as node:
        first, second = (caller.associate("127.0.0.1", node.port, ae_title="ARCUATE") for _ in "12")
        with pytest.raises(AssociationRejected, match="Local limit exceeded"):
            echo(node.address, DEVICE)
        assert first.send_c_echo().Status == 0
        first.release()
        wait_until(lambda: has_room(node))
        second.release()


def test_one_association_of_a_peer_too_many_keeps_only_that_peer_out(
    settings: Settings, database: Database
) -> None:
    limited = settings.model_copy(update={"maximum_associations_per_peer": 2})
    caller = AE(DEVICE)
    caller.add_requested_context(Verification)
    with database.transaction() as session:
        add_peer(session, "DEVICE2")
    with running_node(limited, database) as node:
        first, second = (caller.associate("127.0.0.1", node.port, ae_title="ARCUATE") for _ in "12")

        rejected = caller.associate("127.0.0.1", node.port, ae_title="ARCUATE")

        answer = rejected.acceptor.primitive
        assert answer is not None
        # Transient, by the presentation related service provider: local limit exceeded.
        assert (answer.result, answer.result_source, answer.diagnostic) == (2, 3, 2)
        assert echo(node.address, "DEVICE2") < 10
        assert first.send_c_echo().Status == 0
        first.release()
        wait_until(lambda: has_room(node))
        second.release()

    with database.reading() as session:
        refused = {
            caller.calling_ae_title: caller.reason for caller in list_refused_callers(session)
        }
    assert refused == {DEVICE: "too_many_associations_of_peer"}


def test_a_sop_class_outside_the_accept_list_is_not_negotiated(node: Node) -> None:
    caller = AE(DEVICE)
    caller.add_requested_context(Verification)
    caller.add_requested_context(CTImageStorage)

    association = caller.associate("127.0.0.1", node.port, ae_title="ARCUATE")

    assert [str(c.abstract_syntax) for c in association.accepted_contexts] == [str(Verification)]
    association.release()


def test_connections_without_a_request_leave_no_thread_behind(node: Node) -> None:
    # The first caller starts the thread that judges them all.
    assert echo(node.address, DEVICE) < 10
    before = count_serving_threads()

    for _ in range(100):
        socket.create_connection(("127.0.0.1", node.port), timeout=10).close()

    assert echo(node.address, DEVICE) < 10
    wait_until(lambda: count_serving_threads() <= before)


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x01\x00\xff\xff\xff\xff",
        b"\x00" * 64,
        b"\x01\x00\x00\x00\x00\x02xx",
    ],
)
def test_noise_on_the_port_harms_nobody(node: Node, noise: bytes) -> None:
    with socket.create_connection(("127.0.0.1", node.port), timeout=10) as connection:
        connection.sendall(noise)
        connection.shutdown(socket.SHUT_WR)

    assert echo(node.address, DEVICE) < 10


def test_idle_connections_keep_nobody_out(settings: Settings, database: Database) -> None:
    one = settings.model_copy(update={"maximum_associations": 1})
    with running_node(one, database) as node, ExitStack() as idle:
        before = count_serving_threads()
        for _ in range(400):
            connection = socket.create_connection(("127.0.0.1", node.port), timeout=20)
            idle.enter_context(connection)
            connection.sendall(b"\x01\x00\x00")
        # No thread and no association for any of them.
        assert count_serving_threads() <= before

        assert all(echo(node.address, DEVICE) < 10 for _ in range(3))


def test_a_request_that_comes_byte_by_byte_is_heard(node: Node) -> None:
    request = associate_request()
    with socket.create_connection(("127.0.0.1", node.port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for position in range(len(request)):
            connection.sendall(request[position : position + 1])

        assert connection.recv(1) == b"\x02"


def test_many_commands_in_one_pdu_are_all_answered(node: Node) -> None:
    echoes = [
        command_set(
            [
                (0x0002, b"1.2.840.10008.1.1\0"),
                (0x0100, struct.pack("<H", 0x0030)),
                (0x0110, struct.pack("<H", number)),
                (0x0800, struct.pack("<H", 0x0101)),
            ]
        )
        for number in range(1, 21)
    ]
    parts = [part for echo_ in echoes for part in fragments(echo_, is_command=True, sizes=[9])]
    with socket.create_connection(("127.0.0.1", node.port), timeout=20) as connection:
        connection.sendall(associate_request())
        assert connection.recv(6, socket.MSG_WAITALL)[0] == 2
        answer = b""
        connection.sendall(pdu_of(parts))
        while answer.count(struct.pack("<HHIH", 0, 0x0100, 2, 0x8030)) < 20:
            received = connection.recv(65536)
            assert received, "the association was closed"
            answer += received


def test_a_data_set_no_message_needs_is_not_gathered(node: Node) -> None:
    echo_ = command_set(
        [
            (0x0002, b"1.2.840.10008.1.1\0"),
            (0x0100, struct.pack("<H", 0x0030)),
            (0x0110, struct.pack("<H", 1)),
            (0x0800, struct.pack("<H", 0)),
        ]
    )
    part = fragments(b"x" * 200_000, is_command=False, sizes=[100_000])
    with socket.create_connection(("127.0.0.1", node.port), timeout=20) as connection:
        connection.sendall(associate_request())
        assert connection.recv(6, socket.MSG_WAITALL)[0] == 2
        connection.sendall(pdu_of(fragments(echo_, is_command=True)))
        before = memory_bytes()
        for _ in range(600):
            connection.sendall(pdu_of(part[:1]))
        connection.sendall(pdu_of(part[1:]))
        answer = b""
        while struct.pack("<HHIH", 0, 0x0100, 2, 0x8030) not in answer:
            received = connection.recv(65536)
            assert received, "the association was closed"
            answer += received
        assert memory_bytes() - before < 40 << 20


def memory_bytes() -> int:
    """Resident memory of this process, in which the node runs, too."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_port_that_is_taken_is_named(settings: Settings, database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        second = settings.model_copy(update={"dicom_port": port})

        with (
            pytest.raises(PortUnavailable, match="Address already in use"),
            running_node(second, database),
        ):
            raise AssertionError("the port was taken")


def associate_request() -> bytes:
    """An A-ASSOCIATE-RQ as pynetdicom sends it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        caller = AE(DEVICE)
        caller.add_requested_context(Verification)
        asking = threading.Thread(
            target=caller.associate,
            args=listening.getsockname(),
            kwargs={"ae_title": "ARCUATE"},
        )
        asking.start()
        accepted, _ = listening.accept()
        with accepted:
            request = accepted.recv(65536)
        asking.join()
    return request


def test_a_caller_that_stops_in_the_middle_of_its_request_gives_its_place_back(
    settings: Settings, database: Database
) -> None:
    one = settings.model_copy(update={"maximum_associations": 1, "acse_timeout_seconds": 0.3})
    with (
        running_node(one, database) as node,
        socket.create_connection(("127.0.0.1", node.port), timeout=30) as stalled,
    ):
        stalled.sendall(b"\x01\x00\x00\x00\x01\x00half")

        assert stalled.recv(1) == b""
        wait_until(lambda: has_room(node))


def test_a_pdu_of_gigabytes_is_not_read(node: Node) -> None:
    with socket.create_connection(("127.0.0.1", node.port), timeout=20) as connection:
        connection.sendall(b"\x01\x00\xff\xff\xff\xff")

        assert connection.recv(1) == b""


def test_echo_of_nobody_says_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with pytest.raises(PeerUnreachable, match="does not answer"):
        echo(PeerAddress("NOBODY", "127.0.0.1", port), DEVICE)
