import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dicom_node.receive.shared_port import bind_shared


class Receivers:
    """Sockets that are bound here, and closed in the end."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.locks: list[int] = []

    def listen(self, port: int, folder: Path) -> socket.socket:
        listening = self._stack.enter_context(socket.socket())
        self.locks.append(bind_shared(listening, ("127.0.0.1", port), folder))
        listening.listen()
        return listening

    def listen_alone(self, *options: int) -> int:
        listening = self._stack.enter_context(socket.socket())
        for option in options:
            listening.setsockopt(socket.SOL_SOCKET, option, 1)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        return port_of(listening)


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    with ExitStack() as stack:
        opened = Receivers(stack)
        yield opened
        for lock in opened.locks:
            os.close(lock)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    ours, other = tmp_path / "ours", tmp_path / "other"
    ours.mkdir()
    other.mkdir()
    return ours, other


def port_of(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


def test_receivers_of_one_node_share_a_port(
    receivers: Receivers, folders: tuple[Path, Path]
) -> None:
    first = receivers.listen(0, folders[0])
    second = receivers.listen(port_of(first), folders[0])

    for _ in range(40):
        socket.create_connection(first.getsockname()).close()

    for listening in (first, second):
        listening.settimeout(5)
        listening.accept()[0].close()


def test_another_node_does_not_get_the_port(
    receivers: Receivers, folders: tuple[Path, Path]
) -> None:
    port = port_of(receivers.listen(0, folders[0]))

    with pytest.raises(OSError, match="in use"):
        receivers.listen(port, folders[1])

    receivers.listen(port, folders[0])


def test_a_port_that_lost_its_first_receiver_is_still_the_nodes(
    receivers: Receivers, folders: tuple[Path, Path]
) -> None:
    first = receivers.listen(0, folders[0])
    port = port_of(first)
    receivers.listen(port, folders[0])
    first.close()
    os.close(receivers.locks.pop(0))

    with pytest.raises(OSError, match="in use"):
        receivers.listen(port, folders[1])
    receivers.listen(port, folders[0])


@pytest.mark.parametrize("options", [(), (socket.SO_REUSEPORT,)])
def test_a_port_somebody_else_has_is_not_taken(
    receivers: Receivers, folders: tuple[Path, Path], options: tuple[int, ...]
) -> None:
    with pytest.raises(OSError, match="in use"):
        receivers.listen(receivers.listen_alone(*options), folders[0])


def test_a_port_whose_receivers_are_gone_is_free(
    receivers: Receivers, folders: tuple[Path, Path]
) -> None:
    first = receivers.listen(0, folders[0])
    port = port_of(first)
    first.close()
    os.close(receivers.locks.pop(0))

    receivers.listen(port, folders[1])
