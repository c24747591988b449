"""No receiver at all: the same bytes written to files by as many threads. What the disk allows."""

from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Final

from arcuate.bench.ingest.choices import PeerName
from arcuate.bench.ingest.figures import Figures
from arcuate.bench.ingest.load import Load
from arcuate.bench.ingest.send_plan import SendPlan
from arcuate.bench.ingest.usage import watching
from arcuate.bench.ingest.workers import ready_workers

_WRITER: Final = "arcuate.bench.ingest.plain_writer"


@dataclass(frozen=True)
class PlainWrite:
    """Plain files, each synced before the next or none."""

    is_synced: bool = True

    @property
    def title(self) -> str:
        """What the table calls it."""
        return "write + fsync" if self.is_synced else "write"

    @property
    def peer(self) -> PeerName:
        """Which peer it is a way of."""
        return PeerName.WRITE

    def check(self) -> None:
        """Do nothing: files can be written everywhere."""

    def measure(self, load: Load, associations: int, folder: Path) -> Figures:
        """Write the load once."""
        target = {"folder": str(folder), "is_synced": self.is_synced}
        plan = SendPlan(target, load.stored, tuple(load.shares(associations)))
        with ready_workers(_WRITER, [plan]) as workers:
            (process_id,) = workers.process_ids
            with watching(process_id) as usage:
                times = workers.go()
        return Figures.of_run(load, times, usage, _is_kept(folder, load))


def _is_kept(folder: Path, load: Load) -> bool:
    kept = {}
    for path in folder.iterdir():
        with path.open("rb") as file:
            kept[path.name] = file_digest(file, "sha256").hexdigest()
    timed = {identity.sop_instance_uid for identity in load.identities}
    return kept == {uid: digest for uid, digest in load.digests.items() if uid in timed}
