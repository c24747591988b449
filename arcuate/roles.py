"""The processes of a node. Each loads only what it needs, so imports stand in its function."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from arcuate.audited import record_role
from arcuate.node import Node, open_node
from arcuate.role_logs import configure_role_logs
from core.errors import SettingsInvalid
from core.settings import Settings
from core.values.audit import AuditAction
from dicom_node.storage.presence import prepare_storage


class Announce(Protocol):
    """Tells that the role is ready, with the ports it listens on (0 for none)."""

    def __call__(self, port: int, tls_port: int = 0) -> None:
        """Tell it once."""


#: How long a thread may go on while others of its process wait.
_TURN_SECONDS: Final = 0.0002


class Role(StrEnum):
    """What one process does."""

    RECEIVE = "receive"
    INFER = "infer"
    DELIVER = "deliver"
    SERVE = "serve"
    WATCH = "watch"


#: Somebody waits for their answer, and the others for what a statement holds.
ANSWERING: Final = (Role.RECEIVE, Role.SERVE)


def roles_of(settings: Settings) -> tuple[Role, ...]:
    """Return the roles a node of these settings has."""
    return tuple(role for role in Role if role is not Role.WATCH or settings.watch_folder)


def run_role(role: Role, settings: Settings, announce: Announce, supervised: bool) -> None:
    """Run one role until SIGTERM, SIGINT or, when supervised, the end of standard input."""
    configure_role_logs(settings, role)
    stopping = stop_when_asked(supervised)
    limit = settings.database_statement_seconds if role in ANSWERING else 0.0
    node = open_node(settings, limit)
    # Each role marks the storage it found, so that a mount that goes away later is noticed; one
    # that is away now ends the role, which is started again.
    prepare_storage(node.database, node.storage)
    record_role(node.database, role, AuditAction.START)
    try:
        _RUN[role](node, announce, stopping)
    finally:
        record_role(node.database, role, AuditAction.STOP)


def stop_when_asked(supervised: bool) -> threading.Event:
    """Return what is set at SIGTERM, SIGINT or, when supervised, at the end of standard input."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if supervised:
        threading.Thread(target=_stop_at_end_of_input, args=(stopping,), daemon=True).start()
    return stopping


def _stop_at_end_of_input(stopping: threading.Event) -> None:
    # The supervisor holds the other end; when it dies, however it dies, this returns.
    # Unbuffered: a buffered reader holds a lock that the interpreter wants when it ends.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    stopping.set()


def _receive(node: Node, announce: Announce, stopping: threading.Event) -> None:
    from dicom_node.application_entity import DicomServer

    # Its threads mostly wait for socket and disk and then have a little to do: with Python's own
    # 5 ms each would wait that long for its turn.
    sys.setswitchinterval(_TURN_SECONDS)
    server = DicomServer(node.settings, node.database, node.storage)
    ports = server.start()
    announce(ports.plain, ports.tls)
    stopping.wait()
    server.stop()


def _infer(node: Node, announce: Announce, stopping: threading.Event) -> None:
    from arcuate.infer_role import loops_of
    from arcuate.rescoring import rescoring_beside
    from core.lookout import Lookout
    from inference.preparation_pool import preparation_pool

    # Before the models are read: each takes seconds.
    with preparation_pool(node.settings) as pool:
        lookout = Lookout(node.database, stopping)
        loops = loops_of(node, pool, lookout, stopping)
        with rescoring_beside(node, lookout, stopping) as rescore:
            announce(0)
            run_together([*loops, rescore], stopping)


def _deliver(node: Node, announce: Announce, stopping: threading.Event) -> None:
    from arcuate.deliver_role import loops_of
    from arcuate.report_process import report_process

    # Most of its threads write a few rows now and then, and hold the lock of SQLite meanwhile.
    sys.setswitchinterval(_TURN_SECONDS)
    with report_process(node.settings) as process:
        loops = loops_of(node, process, stopping)
        announce(0)
        run_together(loops, stopping)


def run_together(loops: Sequence[Callable[[], None]], stopping: threading.Event) -> None:
    """Run each loop in a thread; where one ends, all do, and the supervisor starts anew."""

    def run(loop: Callable[[], None]) -> None:
        try:
            loop()
        finally:
            stopping.set()

    threads = [threading.Thread(target=run, args=(loop,)) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _serve(node: Node, announce: Announce, stopping: threading.Event) -> None:
    from api.app import create_app
    from api.server import serve

    serve(create_app(node.settings, node.database, node.storage), node.settings, announce, stopping)


def _watch(node: Node, announce: Announce, stopping: threading.Event) -> None:
    from dicom_node.media.watching import FolderWatch
    from dicom_node.storage.archive import open_archive

    settings = node.settings
    if not settings.watch_folder:
        raise SettingsInvalid("watch_folder is empty: set ARCUATE_WATCH_FOLDER")
    archive = open_archive(settings, node.database, node.storage)
    archive.prepare()
    watch = FolderWatch(
        archive,
        Path(settings.watch_folder),
        settings.watch_settle_seconds,
        settings.watch_patience_seconds,
        settings.watch_keep_days,
    )
    announce(0)
    watch.run(stopping)


_RUN: dict[Role, Callable[[Node, Announce, threading.Event], None]] = {
    Role.RECEIVE: _receive,
    Role.INFER: _infer,
    Role.DELIVER: _deliver,
    Role.SERVE: _serve,
    Role.WATCH: _watch,
}
