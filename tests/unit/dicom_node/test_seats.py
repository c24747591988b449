import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from dicom_node.callers import Caller, Refusal
from dicom_node.seats import Seats

ONE, OTHER = Caller("ONE", "192.0.2.1", "ARCUATE"), Caller("OTHER", "192.0.2.1", "ARCUATE")


@pytest.fixture
def connections() -> Iterator[list[socket.socket]]:
    with ExitStack() as opened:
        yield [opened.enter_context(socket.socket()) for _ in range(4)]


def test_a_peer_gets_its_share_and_leaves_the_rest(connections: list[socket.socket]) -> None:
    seats = Seats(in_all=3, of_one_peer=2)

    answers = [seats.take(connection, ONE) for connection in connections[:3]]

    assert answers == [None, None, Refusal.TOO_MANY_ASSOCIATIONS_OF_PEER]
    assert seats.take(connections[2], OTHER) is None
    assert seats.take(connections[3], OTHER) is Refusal.TOO_MANY_ASSOCIATIONS
    assert [seats.holds(connection) for connection in connections] == [True, True, True, False]


def test_the_same_title_at_another_address_is_another_peer(
    connections: list[socket.socket],
) -> None:
    seats = Seats(in_all=3, of_one_peer=1)

    assert seats.take(connections[0], ONE) is None
    assert seats.take(connections[1], Caller("ONE", "192.0.2.2", "ARCUATE")) is None


def test_a_closed_connection_gives_its_place_back(connections: list[socket.socket]) -> None:
    seats = Seats(in_all=1, of_one_peer=1)
    seats.take(connections[0], ONE)

    connections[0].close()

    assert seats.take(connections[1], ONE) is None
    assert not seats.holds(connections[0])
