"""Ourselves: `arcuate receive` as a node runs it, durable, looked at from outside only."""

import json
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import URL
from sqlmodel import select

from arcuate.bench.ingest.choices import PeerName
from arcuate.bench.ingest.databases import BenchDatabase
from arcuate.bench.ingest.figures import Figures
from arcuate.bench.ingest.kept import data_set_digest
from arcuate.bench.ingest.load import Load
from arcuate.bench.ingest.server_process import HOST, PeerMissing, ServerProcess, server_process
from arcuate.bench.ingest.servers.contestant import (
    CALLING_AE_TITLE,
    RunningServer,
    measure_server,
)
from arcuate.node import Node, prepare_node
from arcuate.roles import Role
from core.settings import ENVIRONMENT_PREFIX, Settings
from core.tables.instances import InstanceRow
from dicom_node.peers import add_peer

#: Whatever is set where the measurement runs, it must not touch the node that is there.
_OURS: Final = ("home", "database_url", "storage_url", "ae_title", "dicom_host", "dicom_port")


@dataclass(frozen=True)
class ArcuateReceive:
    """Our receiver. With `is_unsynced` a library in front of it makes its sync calls do nothing."""

    database: BenchDatabase
    is_unsynced: bool = False

    @property
    def title(self) -> str:
        """What the table calls it."""
        return "arcuate, sync off" if self.is_unsynced else "arcuate"

    @property
    def peer(self) -> PeerName | None:
        """Which peer it is a way of."""
        return PeerName.UNSYNCED if self.is_unsynced else None

    def check(self) -> None:
        """Raise PeerMissing where the library is needed and not there."""
        if self.is_unsynced and _no_sync_library() is None:
            raise PeerMissing("libeatmydata.so is not installed (Debian package libeatmydata1)")

    def measure(self, load: Load, associations: int, folder: Path) -> Figures:
        """Store the load once."""
        return measure_server(self._running(folder), load, associations)

    @contextmanager
    def _running(self, folder: Path) -> Generator[RunningServer]:
        with self.database.made() as url:
            settings = Settings(
                home=folder / "home", database_url=_as_setting(url), dicom_host=HOST, dicom_port=0
            )
            node = prepare_node(settings)
            with node.database.transaction() as session:
                add_peer(session, CALLING_AE_TITLE, HOST, description="measurement")
            try:
                with self._process(settings, folder) as process:
                    process.wait_until_ready(lambda: _announced_port(process) > 0)
                    port = _announced_port(process)
                    yield RunningServer(process, settings.ae_title, port, lambda: _read_kept(node))
            finally:
                node.database.close()

    @contextmanager
    def _process(self, settings: Settings, folder: Path) -> Generator[ServerProcess]:
        command = [sys.executable, "-m", "arcuate", Role.RECEIVE, "--supervised"]
        environment = _environment(settings)
        if self.is_unsynced:
            environment["LD_PRELOAD"] = _no_sync_library() or ""
        with server_process(self.title, command, folder, environment) as process:
            yield process


def _as_setting(url: URL | None) -> str:
    if url is None:
        return ""
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _environment(settings: Settings) -> dict[str, str]:
    """Return what makes the process this throw-away node; other settings are left as they are."""
    ours = settings.model_dump(mode="json", include=set(_OURS))
    return {f"{ENVIRONMENT_PREFIX}{name.upper()}": str(value) for name, value in ours.items()}


def _announced_port(process: ServerProcess) -> int:
    line, end, _ = process.output.read_text("utf-8").partition("\n")
    return int(json.loads(line)["port"]) if end else 0


def _read_kept(node: Node) -> Mapping[str, str]:
    with node.database.reading() as session:
        rows = session.exec(select(InstanceRow)).all()
    kept = {}
    for row in rows:
        with node.storage.open(row.storage_key) as file:
            digest = data_set_digest(file)
        kept[row.sop_instance_uid] = digest if digest == row.digest else "not that of its row"
    return kept


def _no_sync_library() -> str | None:
    return find_library("eatmydata")
