"""`qrscp`, the archive that pynetdicom shows how to build one with."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from arcuate.bench.ingest.choices import PeerName
from arcuate.bench.ingest.figures import Figures
from arcuate.bench.ingest.kept import digests_of_files
from arcuate.bench.ingest.load import Load
from arcuate.bench.ingest.server_process import HOST, server_process
from arcuate.bench.ingest.servers.contestant import RunningServer, measure_server
from arcuate.bench.ports import free_port

_AE_TITLE: Final = "QRSCP"


@dataclass(frozen=True)
class Qrscp:
    """As it is shipped; its index is always SQLite."""

    title: str = "qrscp"
    peer: PeerName = PeerName.QRSCP

    def check(self) -> None:
        """Do nothing: it comes with pynetdicom, which we need anyway."""

    def measure(self, load: Load, associations: int, folder: Path) -> Figures:
        """Store the load once."""
        return measure_server(_running(folder), load, associations)


@contextmanager
def _running(folder: Path) -> Generator[RunningServer]:
    port, kept = free_port(), folder / "kept"
    command = [
        *(sys.executable, "-m", "pynetdicom", "qrscp"),
        *("--port", str(port), "--bind-address", HOST, "--ae-title", _AE_TITLE),
        *("--database-location", str(folder / "index.sqlite"), "--instance-location", str(kept)),
    ]
    with server_process("qrscp", command, folder, {}) as process:
        process.wait_for_port(port)
        yield RunningServer(
            process, _AE_TITLE, port, lambda: digests_of_files(sorted(kept.iterdir()))
        )
