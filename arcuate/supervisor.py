"""Starts the roles as child processes, waits until each is ready, and starts again what dies."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from arcuate.roles import Role, roles_of
from arcuate.workers import worker_environments
from core.errors import NodeError
from core.logs import get_logger
from core.settings import ENVIRONMENT_PREFIX, Settings

_log = get_logger(__name__)

#: TensorFlow alone takes seconds to load, and longer on a busy machine.
READY_SECONDS: Final = 120.0
STOP_SECONDS: Final = 15.0
CHECK_SECONDS: Final = 0.2
#: Pause before a role that died is started again: the first, and the longest.
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
#: A role that ran this long before it died starts with the first pause again.
STEADY_SECONDS: Final = 60.0


class RoleNotReady(NodeError):
    """A role did not become ready."""


@dataclass
class Child:
    """One supervised role.

    Attributes
    ----------
    port, tls_port
        0 where it does not listen on one.
    environment
        What it has besides the node's own.
    """

    role: Role
    process: subprocess.Popen[str] | None = None
    port: int = 0
    tls_port: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: threading.Event = field(default_factory=threading.Event)
    started_at: float = 0.0
    restart_at: float | None = None
    pause_seconds: float = FIRST_PAUSE_SECONDS


class Supervisor:
    """Runs the roles of one node on this machine.

    Parameters
    ----------
    settings
        Handed to each child whole, by its environment.
    roles
        Which to run; by default all that the settings ask for, with as many receivers as they say.
    workers
        The environment of each process that scores; by default those of `worker_environments`.
    """

    def __init__(
        self,
        settings: Settings,
        roles: Sequence[Role] | None = None,
        workers: Sequence[Mapping[str, str]] | None = None,
    ) -> None:
        self._settings = settings
        #: What is to be said of roles that were not ready when the others were.
        self.late: list[str] = []
        chosen = roles_of(settings) if roles is None else roles
        self._first = {role: Child(role) for role in chosen}
        further = settings.receivers - 1 if Role.RECEIVE in self._first else 0
        #: Receivers that share the first one's port, and workers that have GPUs of their own.
        self._further = [Child(Role.RECEIVE) for _ in range(further)]
        if Role.INFER in self._first:
            first, *others = worker_environments(settings) if workers is None else workers
            self._first[Role.INFER].environment = first
            self._further += [Child(Role.INFER, environment=found) for found in others]

    def start(self, required: Container[Role] = tuple(Role)) -> Mapping[Role, int]:
        """Start every role and return their ports once all are ready.

        Parameters
        ----------
        required
            Roles without which the others do not run, either; one of the rest that is not ready
            is told in `late`, and started again by `watch`.

        Raises
        ------
        RoleNotReady
            If a required one exits or is not ready in time; the others are stopped again.
        """
        self.late.clear()
        try:
            self._start(list(self._first.values()), required)
            for child in self._further:
                first = self._first[child.role]
                child.port, child.tls_port = first.port, first.tls_port
            self._start(self._further, required)
        except (RoleNotReady, KeyboardInterrupt):
            self.stop()
            raise
        return {role: child.port for role, child in self._first.items()}

    def _start(self, children: Sequence[Child], required: Container[Role]) -> None:
        for child in children:
            self._launch(child)
        for child in children:
            try:
                _wait_until_ready(child)
            except RoleNotReady as error:
                if child.role in required:
                    raise
                _log.error("role_not_ready", late=child.role, cause=str(error))
                self.late.append(str(error))

    def watch(self, stopping: threading.Event) -> None:
        """Start again what dies, until asked to stop; then stop all."""
        try:
            while not stopping.wait(CHECK_SECONDS):
                for child in self._children:
                    self._revive(child)
        finally:
            self.stop()

    def stop(self) -> None:
        """Ask every role to stop, and end those that do not."""
        running = [c.process for c in self._children if c.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close_streams(process)

    @property
    def dicom_tls_port(self) -> int:
        """The port on which the receiver takes DICOM TLS connections; 0 for none."""
        receiver = self._first.get(Role.RECEIVE)
        return 0 if receiver is None else receiver.tls_port

    def process_id(self, role: Role) -> int:
        """Return the process id a role runs under at this moment."""
        process = self._first[role].process
        if process is None:
            raise RoleNotReady(f"The role {role} was never started")
        return process.pid

    @property
    def _children(self) -> Sequence[Child]:
        return [*self._first.values(), *self._further]

    def _launch(self, child: Child) -> None:
        child.ready.clear()
        child.started_at = time.monotonic()
        child.restart_at = None
        child.process = process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
            [sys.executable, "-m", "arcuate", child.role, "--supervised"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self._environment(child),
        )
        threading.Thread(target=_await_announcement, args=(child, process), daemon=True).start()

    def _environment(self, child: Child) -> dict[str, str]:
        values = self._settings.model_dump(mode="json")
        # A role that took a free port keeps it when it is started again: others know it by now.
        port_name = {Role.RECEIVE: "dicom_port", Role.SERVE: "http_port"}.get(child.role)
        if port_name and child.port:
            values[port_name] = child.port
        if child.tls_port:
            values["dicom_tls_port"] = child.tls_port
        if child.role is Role.RECEIVE:
            # Each has its share: together they serve no more than the settings say. What one peer
            # may have is not divided: the kernel deals its few associations out unevenly.
            values["maximum_associations"] = -(
                -values["maximum_associations"] // self._settings.receivers
            )
            values["receivers"] = 1
        if child.role is Role.INFER:
            values["workers"] = 1
        ours = {f"{ENVIRONMENT_PREFIX}{name.upper()}": str(value) for name, value in values.items()}
        return {**os.environ, **ours, **child.environment}

    def _revive(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None or child.process.poll() is None:
            return
        if child.restart_at is None:
            pause = _put_off(child, now)
            _log.error("role_died", died=child.role, code=child.process.returncode, pause=pause)
        elif now >= child.restart_at:
            self._launch_again(child, child.process)

    def _launch_again(self, child: Child, dead: subprocess.Popen[str]) -> None:
        _close_streams(dead)
        try:
            self._launch(child)
        except OSError as error:
            # A host out of processes or memory: the other roles go on, this one is tried later.
            pause = _put_off(child, time.monotonic())
            _log.error("role_not_started", role_to_start=child.role, cause=str(error), pause=pause)


def _put_off(child: Child, now: float) -> float:
    """Set when a role is started again and return the pause till then, in seconds."""
    steady = now - child.started_at > STEADY_SECONDS
    pause = FIRST_PAUSE_SECONDS if steady else child.pause_seconds
    child.pause_seconds = min(2 * pause, LONGEST_PAUSE_SECONDS)
    child.restart_at = now + pause
    return pause


def _close_streams(process: subprocess.Popen[str]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def _await_announcement(child: Child, process: subprocess.Popen[str]) -> None:
    if process.stdout is None:
        return
    line = process.stdout.readline()
    if line:
        announced = json.loads(line)
        child.port, child.tls_port = int(announced["port"]), int(announced["tls_port"])
        child.ready.set()


def _wait_until_ready(child: Child) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not child.ready.wait(CHECK_SECONDS):
        code = child.process.poll() if child.process else None
        if code is not None:
            raise RoleNotReady(
                f"`arcuate {child.role}` ended with code {code}: its own lines say why"
            )
        if time.monotonic() > deadline:
            raise RoleNotReady(f"`arcuate {child.role}` was not ready after {READY_SECONDS:.0f} s")
