"""Ourselves: `arcuate receive` as a node runs it, durable, looked at from outside only."""

import json
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

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
from core.settings import ENVIRONMENT_PREFIX, Settings, load_settings
from core.tables.instances import InstanceRow
from dicom_node.peers import add_peer

#: Whatever is set where the measurement runs, it must not touch the node that is there.
_OURS: Final = (
    *("home", "database_url", "storage_url", "storage_endpoint", "storage_buffer"),
    *("ae_title", "dicom_host", "dicom_port"),
)
#: Not the settings file of the node that is there, either.
_NO_FILE: Final = Path(os.devnull)


@dataclass(frozen=True)
class Bucket:
    """Where objects go instead of a folder; what a run put there is removed after it.

    Attributes
    ----------
    url
        `s3://BUCKET/PREFIX`; each run has a part of its own below it.
    endpoint
        Address of the object store; empty for Amazon's.
    is_buffered
        Whether a store is answered before the object is in the bucket.
    """

    url: str
    endpoint: str
    is_buffered: bool = False

    def settings(self) -> Mapping[str, object]:
        """Return what a throw-away node is told of it."""
        return {
            "storage_url": f"{self.url.rstrip('/')}/bench-{uuid4().hex}",
            "storage_endpoint": self.endpoint,
            "storage_buffer": self.is_buffered,
        }


@dataclass(frozen=True)
class ArcuateReceive:
    """Our receiver. With `is_unsynced` a library in front of it makes its sync calls do nothing."""

    database: BenchDatabase
    is_unsynced: bool = False
    bucket: Bucket | None = None

    @property
    def title(self) -> str:
        """What the table calls it."""
        if self.bucket is not None:
            return "arcuate, bucket later" if self.bucket.is_buffered else "arcuate, in bucket"
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
            node = prepare_node(self._settings(folder, url))
            with node.database.transaction() as session:
                add_peer(session, CALLING_AE_TITLE, HOST, description="measurement")
            try:
                with self._process(node.settings, folder) as process:
                    process.wait_until_ready(lambda: _announced_port(process) > 0)
                    port, called = _announced_port(process), node.settings.ae_title
                    yield RunningServer(process, called, port, lambda: _read_kept(node))
            finally:
                if self.bucket is not None:
                    _remove_kept(node)
                node.database.close()

    def _settings(self, folder: Path, url: URL | None) -> Settings:
        own = {
            "home": folder / "home",
            "database_url": _as_setting(url),
            "dicom_host": HOST,
            "dicom_port": 0,
        }
        place = {} if self.bucket is None else self.bucket.settings()
        return load_settings(_NO_FILE, environment={}, overrides={**own, **place})

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


def _remove_kept(node: Node) -> None:
    with node.database.reading() as session:
        keys = session.exec(select(InstanceRow.storage_key)).all()
    for key in keys:
        node.storage.delete(key)


def _no_sync_library() -> str | None:
    return find_library("eatmydata")
