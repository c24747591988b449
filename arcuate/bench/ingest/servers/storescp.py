"""DCMTK's `storescp`, a process for each association: it keeps files, and no index."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from arcuate.bench.ingest.choices import PeerName
from arcuate.bench.ingest.figures import Figures
from arcuate.bench.ingest.kept import digests_of_files
from arcuate.bench.ingest.load import Load
from arcuate.bench.ingest.pdu import LARGEST_PDU_BYTES
from arcuate.bench.ingest.server_process import TCP_NODELAY, program, server_process
from arcuate.bench.ingest.servers.contestant import RunningServer, measure_server
from arcuate.bench.ports import free_port

_PROGRAM: Final = "storescp"
_AE_TITLE: Final = "STORESCP"


@dataclass(frozen=True)
class Storescp:
    """One way to run it; nothing is synced in any."""

    has_no_delay: bool = False

    @property
    def title(self) -> str:
        """What the table calls it."""
        return f"storescp, {TCP_NODELAY}=1" if self.has_no_delay else "storescp"

    @property
    def peer(self) -> PeerName:
        """Which peer it is a way of."""
        return PeerName.STORESCP

    def check(self) -> None:
        """Raise PeerMissing where it is not installed."""
        program(_PROGRAM, "dcmtk")

    def measure(self, load: Load, associations: int, folder: Path) -> Figures:
        """Store the load once."""
        return measure_server(self._running(folder), load, associations)

    @contextmanager
    def _running(self, folder: Path) -> Generator[RunningServer]:
        port, kept = free_port(), folder / "kept"
        kept.mkdir()
        command = [
            program(_PROGRAM, "dcmtk"),
            *("--fork", "--max-pdu", str(LARGEST_PDU_BYTES)),
            # Without this it takes no JPEG; uncompressed objects fare the same.
            *("--accept-all", "--aetitle", _AE_TITLE, "--output-directory", str(kept), str(port)),
        ]
        environment = {TCP_NODELAY: "1"} if self.has_no_delay else {}
        with server_process(self.title, command, folder, environment) as process:
            process.wait_for_port(port)
            yield RunningServer(
                process, _AE_TITLE, port, lambda: digests_of_files(sorted(kept.iterdir()))
            )
