"""The whole measurement: who is running takes the same scans, in turn."""

import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from arcuate.bench.ingest.figures import percentile
from arcuate.bench.pipeline import copy_of
from arcuate.bench.query.population import Population
from arcuate.bench.query.rows import fill
from arcuate.bench.scoring.alone import (
    PredictorShare,
    predictor_shares,
    preparation_a_second,
    seconds_to_ready,
)
from arcuate.bench.scoring.contestants import Contestant, running_arcuate, running_plain
from arcuate.bench.scoring.runs import Copy, burst, paced, singles
from arcuate.node import Node

Tell = Callable[[str], None]
#: Scans sent before the measured ones: the first of a process finds cold caches.
_WARM_UP_SCANS: Final = 2
_BATCHES: Final = (16, 64)
_PREDICTIONS: Final = 200
COLUMNS: Final = ("who", "scans/s", "one p50 ms", "one p99 ms", "half load p50 ms", "p99 ms")


@dataclass
class Runs:
    """What one contestant did.

    Attributes
    ----------
    a_second
        Of each run with as many scans as fit.
    one_seconds, half_load_seconds
        From the C-STORE response to the result: of scans by themselves, and at half of that rate.
    """

    a_second: list[float] = field(default_factory=list)
    one_seconds: list[float] = field(default_factory=list)
    half_load_seconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Median of scans a second."""
        return statistics.median(self.a_second)

    def row(self, name: str) -> Mapping[str, str]:
        """Return its line of the table."""
        latencies = (
            f"{percentile(seconds, share) * 1000:.0f}"
            for seconds in (self.one_seconds, self.half_load_seconds)
            for share in (0.50, 0.99)
        )
        return dict(zip(COLUMNS, (name, f"{self.rate:.1f}", *latencies), strict=True))


@dataclass
class ScoringFigures:
    """Everything that was measured.

    Attributes
    ----------
    preparation_a_second
        Scans, by the node's own processes with nothing beside them.
    ready_seconds
        From the start of the worker that predicts to its being ready.
    """

    runs: dict[str, Runs] = field(default_factory=dict)
    preparation_a_second: float = 0.0
    predictor: Sequence[PredictorShare] = ()
    ready_seconds: float = 0.0

    def rows(self) -> list[Mapping[str, str]]:
        """Return a line for each contestant."""
        return [runs.row(name) for name, runs in self.runs.items()]

    def as_values(self) -> Mapping[str, Any]:
        """Return all of it."""
        return asdict(self)

    def conclusions(self) -> list[str]:
        """Return what follows, a line each."""
        ours, (name, *others) = self.runs["arcuate"], self.runs
        slowest = min(self.preparation_a_second, *(share.predictor for share in self.predictor))
        lines = [
            f"preparation alone: {self.preparation_a_second:.1f} scans/s; the whole does "
            f"{ours.rate / slowest:.2f} of its slower stage",
            f"from start to ready: {self.ready_seconds:.1f} s",
        ]
        lines += [
            f"predictor, batch {share.batch}: {share.predictor:.0f} eyes/s, "
            f"{share.predictor / share.bare:.2f} of the bare network"
            for share in self.predictor
        ]
        for other in others:
            theirs = self.runs[other]
            share = percentile(ours.one_seconds, 0.5) / percentile(theirs.one_seconds, 0.5)
            lines.append(
                f"{name} beside {other}: {ours.rate / theirs.rate:.1f} times the scans/s, "
                f"{share:.2f} of the median latency"
            )
        return lines


@dataclass(frozen=True)
class ScoringMeasurement:
    """What is measured.

    Attributes
    ----------
    files
        A scan and its localizer.
    scans
        In each run.
    studies
        In our record beforehand, ten instances each.
    processes
        That prepare scans; -1 as the settings' default.
    """

    files: Sequence[Path]
    scans: int
    runs: int
    with_plain: bool
    studies: int
    processes: int
    folder: Path | None = None

    def figures(self, tell: Tell) -> ScoringFigures:
        """Measure.

        Raises
        ------
        NoPrediction
            If a scan was refused or its result did not come.
        PeerMissing
            If Orthanc is not installed.
        """
        figures = ScoringFigures()
        with tempfile.TemporaryDirectory(prefix="arcuate-bench-", dir=self.folder) as place:
            home = Path(place)
            tell("starting a worker")
            figures.ready_seconds = seconds_to_ready(home / "worker")
            with ExitStack() as running:
                self._measure(self._contestants(home, running, tell), home, figures, tell)
        return figures

    def _contestants(self, home: Path, running: ExitStack, tell: Tell) -> list[Contestant]:
        def prepare(node: Node) -> None:
            if self.studies:
                fill(node.database, Population(self.studies), tell)

        found = [running.enter_context(running_arcuate(home / "arcuate", prepare, self.processes))]
        if self.with_plain:
            found.append(running.enter_context(running_plain(home / "plain")))
        return found

    def _measure(
        self, contestants: Sequence[Contestant], home: Path, figures: ScoringFigures, tell: Tell
    ) -> None:
        figures.runs = {contestant.name: Runs() for contestant in contestants}
        sent: list[str] = []
        for contestant in contestants:
            singles(contestant, self._copies(home / f"warm-{contestant.name}", _WARM_UP_SCANS))
        for run in range(self.runs):
            for contestant in contestants:
                tell(f"run {run + 1}/{self.runs}: {contestant.name}")
                copies = self._copies(home / f"{contestant.name}-{run}", 3 * self.scans)
                each = [copies[start::3] for start in range(3)]
                runs = figures.runs[contestant.name]
                runs.one_seconds += singles(contestant, each[0])
                runs.a_second.append(burst(contestant, each[1]))
                runs.half_load_seconds += paced(contestant, each[2], runs.rate / 2)
                if contestant.node is not None:
                    sent += [copy.scan_uid for copy in each[1]]
        ours = contestants[0]
        if ours.node is not None:
            tell("single stages")
            figures.preparation_a_second = preparation_a_second(ours.node, self.processes, sent)
            figures.predictor = predictor_shares(ours.node.settings, _BATCHES, _PREDICTIONS)

    def _copies(self, folder: Path, count: int) -> list[Copy]:
        folder.mkdir()
        return [Copy(copy_of(self.files, folder / str(number))) for number in range(count)]
