"""One call of the measurement: who takes part, and every load with every number of associations."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from arcuate.bench.ingest.choices import PeerName, WorkloadName
from arcuate.bench.ingest.comparison import Comparison, Tell, compare
from arcuate.bench.ingest.databases import BenchDatabase
from arcuate.bench.ingest.load import Load
from arcuate.bench.ingest.server_process import PeerMissing
from arcuate.bench.ingest.servers.arcuate_receive import Bucket
from arcuate.bench.ingest.servers.contestant import Contestant
from arcuate.bench.ingest.servers.register import ourselves, peers
from arcuate.bench.ingest.workloads import WORKLOADS, Workload

ASSOCIATIONS: Final = (1, 4, 8)
RUNS: Final = 5
QUICK_ASSOCIATIONS: Final = (2,)
QUICK_RUNS: Final = 1


@dataclass(frozen=True)
class Measurement:
    """What is measured.

    Attributes
    ----------
    instances
        How many each run stores; None for each load's own number.
    folder
        On the disk that is measured; None for the system's folder of temporary files.
    """

    workloads: Sequence[WorkloadName]
    associations: Sequence[int]
    runs: int
    contestants: Sequence[Contestant]
    is_quick: bool = False
    instances: int | None = None
    folder: Path | None = None

    def comparisons(self, tell: Tell) -> Iterator[Comparison]:
        """Measure, and yield each comparison as soon as it is made.

        Raises
        ------
        ServerFailed, SendFailed
            If a receiver does not start, or does not take what is sent.
        """
        with tempfile.TemporaryDirectory(prefix="arcuate-bench-", dir=self.folder) as place:
            for workload in WORKLOADS:
                if workload.name in self.workloads:
                    load = Load.prepare(workload, self._instances(workload), Path(place))
                    for number in self.associations:
                        yield compare(load, number, self.contestants, self.runs, Path(place), tell)

    def _instances(self, workload: Workload) -> int:
        usual = workload.quick_instances if self.is_quick else workload.instances
        return self.instances or usual


def choose_contestants(
    database: BenchDatabase,
    names: Sequence[PeerName],
    tell_missing: Callable[[str], None],
    bucket: Bucket | None = None,
) -> list[Contestant]:
    """Return ourselves, then every way of the named peers; of all that are installed without names.

    Raises
    ------
    PeerMissing
        If a peer that was named is not installed.
    """
    chosen = list(ourselves(database, bucket))
    for contestant in peers(database):
        if names and contestant.peer not in names:
            continue
        try:
            contestant.check()
        except PeerMissing as missing:
            if names:
                raise
            tell_missing(f"Left out: {contestant.title}. {missing}")
        else:
            chosen.append(contestant)
    return chosen
