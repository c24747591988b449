"""A receiver as a process of its own: started, waited for, ended with all its children."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from arcuate.waiting import wait_until
from core.errors import NodeError

HOST: Final = "127.0.0.1"
_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0
_LAST_LINES: Final = 5
#: What makes DCMTK send at once; "as shipped" means without it, whoever set it here.
TCP_NODELAY: Final = "TCP_NODELAY"


class PeerMissing(NodeError):
    """A peer to measure against is not installed."""


class ServerFailed(NodeError):
    """A receiver did not start."""


@dataclass
class ServerProcess:
    """A running receiver and the files its output goes to."""

    name: str
    process: subprocess.Popen[bytes]
    output: Path
    errors: Path
    is_stopped: bool = False

    @property
    def process_id(self) -> int:
        """Its process id."""
        return self.process.pid

    def wait_for_port(self, port: int) -> None:
        """Wait until connections are taken.

        Raises
        ------
        ServerFailed
            If it ends, or takes too long.
        """
        self.wait_until_ready(lambda: _takes_connections(port))

    def wait_until_ready(self, is_ready: Callable[[], bool]) -> None:
        """Wait for a condition; the error is that of `wait_for_port`."""
        wait_until(lambda: is_ready() or self.process.poll() is not None, _READY_SECONDS)
        if self.process.poll() is not None or not is_ready():
            raise ServerFailed(f"{self.name} did not start: {self._last_lines()}")

    def check(self) -> None:
        """Return where it runs.

        Raises
        ------
        ServerFailed
            If it ended by itself.
        """
        if self.process.poll() is not None:
            raise ServerFailed(f"{self.name} ended: {self._last_lines()}")

    def stop(self) -> None:
        """Ask it to end, and end whatever is left of it; nothing happens the second time."""
        if self.is_stopped:
            # Its id may be another process' by now.
            return
        self.is_stopped = True
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _last_lines(self) -> str:
        lines = (self.output.read_text("utf-8") + self.errors.read_text("utf-8")).splitlines()
        return " | ".join(lines[-_LAST_LINES:]) or "it said nothing"


@contextmanager
def server_process(
    name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Generator[ServerProcess]:
    """Run a program with these variables beside our own until the block ends."""
    output, errors = folder / "output.log", folder / "errors.log"
    inherited = {key: value for key, value in os.environ.items() if key != TCP_NODELAY}
    with (
        output.open("wb") as out,
        errors.open("wb") as err,
        subprocess.Popen(  # noqa: S603 - found on PATH, arguments are our own
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=err,
            env={**inherited, **environment},
            # A group of its own, so that what it forked can be ended with it.
            start_new_session=True,
        ) as process,
    ):
        running = ServerProcess(name, process, output, errors)
        try:
            yield running
        finally:
            running.stop()


def program(name: str, package: str) -> str:
    """Return the path of a program.

    Raises
    ------
    PeerMissing
        If it is not installed.
    """
    found = shutil.which(
        name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/bin"
    )
    if found is None:
        raise PeerMissing(f"{name} is not installed (Debian package {package})")
    return found


def _takes_connections(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
