"""Orthanc, with its index in SQLite or PostgreSQL, otherwise as it is shipped."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL

from arcuate.bench.ingest.choices import PeerName
from arcuate.bench.ingest.databases import BenchDatabase
from arcuate.bench.ingest.figures import Figures
from arcuate.bench.ingest.kept import digests_of_files
from arcuate.bench.ingest.load import Load
from arcuate.bench.ingest.server_process import (
    TCP_NODELAY,
    PeerMissing,
    program,
    server_process,
)
from arcuate.bench.ingest.servers.contestant import RunningServer, measure_server
from arcuate.bench.ports import free_port
from arcuate.dicom_files import find_files

_PROGRAM: Final = "Orthanc"
_AE_TITLE: Final = "ORTHANC"
_INDEX_PLUG_IN: Final = Path("/usr/share/orthanc/plugins/libOrthancPostgreSQLIndex.so")


@dataclass(frozen=True)
class Orthanc:
    """One way to run it."""

    database: BenchDatabase
    has_no_delay: bool = False
    index_plug_in: Path = _INDEX_PLUG_IN

    @property
    def title(self) -> str:
        """What the table calls it."""
        return f"Orthanc, {TCP_NODELAY}=1" if self.has_no_delay else "Orthanc"

    @property
    def peer(self) -> PeerName:
        """Which peer it is a way of."""
        return PeerName.ORTHANC

    def check(self) -> None:
        """Raise PeerMissing where it, or the plug-in for PostgreSQL, is not installed."""
        program(_PROGRAM, "orthanc")
        if self.database.server_url is not None and not self.index_plug_in.exists():
            raise PeerMissing(
                f"{self.index_plug_in.name} is not installed (Debian package orthanc-postgresql)"
            )

    def measure(self, load: Load, associations: int, folder: Path) -> Figures:
        """Store the load once."""
        return measure_server(self._running(folder), load, associations)

    @contextmanager
    def _running(self, folder: Path) -> Generator[RunningServer]:
        port, kept = free_port(), folder / "kept"
        kept.mkdir()
        with self.database.made() as url:
            configuration = folder / "orthanc.json"
            configuration.write_text(json.dumps(self._configuration(port, kept, url)))
            command = [program(_PROGRAM, "orthanc"), str(configuration)]
            environment = {TCP_NODELAY: "1"} if self.has_no_delay else {}
            with server_process(self.title, command, folder, environment) as process:
                process.wait_for_port(port)
                yield RunningServer(process, _AE_TITLE, port, lambda: _read_kept(kept))

    def _configuration(self, port: int, kept: Path, url: URL | None) -> Mapping[str, Any]:
        """Return what differs from its defaults: places, and no HTTP, which nobody asks here."""
        return {
            "DicomAet": _AE_TITLE,
            "DicomPort": port,
            "HttpServerEnabled": False,
            "StorageDirectory": str(kept),
            "IndexDirectory": str(kept),
            **({} if url is None else self._postgresql(url)),
        }

    def _postgresql(self, url: URL) -> Mapping[str, Any]:
        return {
            "Plugins": [str(self.index_plug_in)],
            "PostgreSQL": {
                "EnableIndex": True,
                "EnableStorage": False,
                "Host": url.host or "",
                "Port": url.port or 5432,
                "Database": url.database or "",
                "Username": url.username or "",
                "Password": url.password or "",
            },
        }


def _read_kept(folder: Path) -> Mapping[str, str]:
    # Beside its index and what it writes about them, its folder holds the files of instances.
    return digests_of_files(find_files([folder]))
