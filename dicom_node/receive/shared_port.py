"""A port that the receivers of one node share, and nobody else.

The kernel deals connections out among all sockets that are bound with SO_REUSEPORT, whoever opened
them: two nodes of one user on one port would take each other's studies, and neither would notice.
A lock file in the node's folder tells its own receivers from others.
"""

import fcntl
import os
import socket
from pathlib import Path
from typing import Any


def bind_shared(listening: socket.socket, address: tuple[Any, ...], folder: Path) -> int:
    """Bind a socket beside those of the same node; return the descriptor of the lock it holds.

    Parameters
    ----------
    address
        Host and port; port 0 takes one that nobody has.
    folder
        The node's; it must exist.

    Raises
    ------
    OSError
        If anybody but a receiver of this node has the port.
    """
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if address[1] == 0:
        listening.bind(address)
        lock = _open_lock(folder, listening.getsockname()[1])
    else:
        lock = _open_lock(folder, address[1])
        try:
            if _is_alone(lock):
                _check_nobody_listens(listening.family, address)
            else:
                # The first of them holds it alone until it is bound.
                fcntl.flock(lock, fcntl.LOCK_SH)
            listening.bind(address)
        except OSError:
            os.close(lock)
            raise
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def _open_lock(folder: Path, port: int) -> int:
    return os.open(folder / f"dicom-{port}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _is_alone(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check_nobody_listens(family: int, address: tuple[Any, ...]) -> None:
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        # Connections that are just ending do not keep the port; who listens does.
        probe.listen(1)
