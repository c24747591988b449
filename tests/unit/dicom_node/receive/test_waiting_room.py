import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from arcuate.waiting import wait_until
from dicom_node.receive.opening import association_request
from dicom_node.receive.waiting_room import WaitingRoom

REQUEST = struct.pack(">BBI", 1, 0, 80) + b"r" * 80


class Hall:
    """Where guests are let in; `fault` is raised once instead."""

    def __init__(self) -> None:
        self.let_in: list[bytes] = []
        self.fault: Exception | None = None

    def receive(self, connection: socket.socket, _address: Any) -> None:
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        self.let_in.append(connection.recv(1000))
        connection.close()


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
def room(hall: Hall) -> Iterator[WaitingRoom]:
    opened = WaitingRoom(hall.receive, association_request(1 << 20), patience_seconds=30.0, seats=3)
    yield opened
    opened.close()


def seated(room: WaitingRoom) -> socket.socket:
    # TCP as in earnest: other kinds of socket do not know how much is waited for.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        peer = socket.create_connection(listening.getsockname(), timeout=60)
        ours, address = listening.accept()
    room.seat(ours, address)
    return peer


def test_a_whole_request_is_let_in_with_every_byte(room: WaitingRoom, hall: Hall) -> None:
    with seated(room) as peer:
        peer.sendall(REQUEST)

        assert wait_until(lambda: hall.let_in == [REQUEST], 60)


def test_half_a_request_waits_for_the_rest(room: WaitingRoom, hall: Hall) -> None:
    with seated(room) as peer, seated(room) as other:
        peer.sendall(REQUEST[:30])
        other.sendall(REQUEST)
        assert wait_until(lambda: len(hall.let_in) == 1, 60)

        peer.sendall(REQUEST[30:])

        assert wait_until(lambda: len(hall.let_in) == 2, 60)


@pytest.mark.parametrize(
    "noise", [b"GET / HTTP/1.1", b"\x01\0\xff\xff\xff\xff", b"\x04\0\0\0\0\x06", b"\x01\0\0\0\0\0"]
)
def test_what_is_no_request_is_shown_out(room: WaitingRoom, hall: Hall, noise: bytes) -> None:
    with seated(room) as peer:
        peer.sendall(noise)

        assert peer.recv(1) == b""
    assert hall.let_in == []


def test_whoever_waited_longest_goes_when_all_seats_are_taken(
    room: WaitingRoom, hall: Hall
) -> None:
    guests = [seated(room) for _ in range(4)]

    assert guests[0].recv(1) == b""
    guests[3].sendall(REQUEST)
    assert wait_until(lambda: hall.let_in == [REQUEST], 60)
    for guest in guests:
        guest.close()


def test_patience_ends(hall: Hall) -> None:
    room = WaitingRoom(hall.receive, association_request(1 << 20), patience_seconds=0.1)
    with seated(room) as peer:
        assert peer.recv(1) == b""
    room.close()


@pytest.mark.parametrize("fault", [RuntimeError("can't start new thread"), OSError(24, "files")])
def test_one_that_cannot_be_served_stops_nobody(
    room: WaitingRoom, hall: Hall, fault: Exception
) -> None:
    hall.fault = fault
    with seated(room) as first:
        first.sendall(REQUEST)
        assert first.recv(1) == b""
    with seated(room) as second:
        second.sendall(REQUEST)

        assert wait_until(lambda: hall.let_in == [REQUEST], 60)


def test_a_peer_that_leaves_frees_its_seat(room: WaitingRoom, hall: Hall) -> None:
    for _ in range(20):
        seated(room).close()

    with seated(room) as peer:
        peer.sendall(REQUEST)
        assert wait_until(lambda: hall.let_in == [REQUEST], 60)


def test_closing_twice_is_harmless_and_leaves_no_thread(hall: Hall) -> None:
    before = threading.active_count()
    room = WaitingRoom(hall.receive, association_request(1 << 20), patience_seconds=30.0)
    with seated(room) as peer:
        room.close()
        room.close()

        assert peer.recv(1) == b""
    assert threading.active_count() == before
