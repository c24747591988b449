"""A node with a large record, people who click, and scans that come in meanwhile."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from arcuate.bench.ingest.figures import percentile
from arcuate.bench.pages.readers import Click, Devices, PageKind, Readers
from arcuate.bench.pages.rows import fill_results
from arcuate.bench.pages.template import score_template
from arcuate.bench.pipeline import CALLING_AE_TITLE, copy_of, send_files
from arcuate.bench.query.population import Population
from arcuate.bench.query.rows import fill
from arcuate.node import Node
from arcuate.throwaway import throwaway_node
from arcuate.waiting import wait_until

Tell = Callable[[str], None]
#: For the scans that came last.
_PATIENCE_SECONDS: Final = 30.0


@dataclass(frozen=True)
class PageFigures:
    """What people waited.

    Attributes
    ----------
    scans
        Sent meanwhile.
    scored
        Of them, those with a result at the end.
    """

    clicks: Sequence[Click]
    scans: int
    scored: int

    def rows(self) -> list[Mapping[str, str]]:
        """Return one row for each page."""
        return [
            {
                "page": kind,
                "asked": str(len(self._seconds(kind))),
                "p50 ms": f"{self.at(kind, 0.50):.0f}",
                "p95 ms": f"{self.at(kind, 0.95):.0f}",
                "longest ms": f"{self.at(kind, 1.0):.0f}",
            }
            for kind in PageKind
            if self._seconds(kind)
        ]

    def at(self, kind: PageKind, share: float) -> float:
        """Return the milliseconds that this share of the answers did not exceed."""
        return percentile(self._seconds(kind), share) * 1000

    def as_values(self) -> Mapping[str, Any]:
        """Return everything that was measured."""
        seconds = {kind.value: self._seconds(kind) for kind in PageKind}
        return {"scans": self.scans, "scored": self.scored, "seconds": seconds}

    def _seconds(self, kind: PageKind) -> list[float]:
        return [click.seconds for click in self.clicks if click.kind is kind]


@dataclass(frozen=True)
class PageMeasurement:
    """How many people and scans, for how long, on how large a record.

    Attributes
    ----------
    files
        A scan and its localizer: what comes in, and the pattern of what is there.
    """

    files: Sequence[Path]
    population: Population
    people: int
    scans_a_minute: float
    seconds: float
    folder: Path | None = None

    def figures(self, tell: Tell) -> PageFigures:
        """Fill, click and send.

        Raises
        ------
        PageWrong
            If a page is wrong.
        NoPrediction
            If a scan is refused.
        """
        tell("scoring the pattern")
        template = score_template(self.files)

        def prepare(node: Node) -> None:
            fill(node.database, self.population, tell)
            tell("writing results")
            fill_results(node.database, self.population, template)
            for key, picture in template.pictures.items():
                node.storage.put(key, picture)

        with tempfile.TemporaryDirectory(prefix="arcuate-bench-", dir=self.folder) as place:
            home = Path(place)
            with throwaway_node(home / "node", CALLING_AE_TITLE, prepare) as running:
                tell(f"{self.people} people click for {self.seconds:.0f} s")
                devices = Devices(
                    lambda number: send_files(running, copy_of(self.files, home / f"scan{number}")),
                    self.scans_a_minute,
                )
                readers = Readers(
                    str(running.client.base_url), self.population, self.people, self.seconds
                )
                devices.start()
                try:
                    clicks = readers.click()
                finally:
                    devices.stop()
                wait_until(lambda: self._scored(running.node) >= devices.sent, _PATIENCE_SECONDS)
                return PageFigures(clicks, devices.sent, self._scored(running.node))

    def _scored(self, node: Node) -> int:
        with node.database.reading() as session:
            count = session.connection().exec_driver_sql("SELECT count(*) FROM predictions")
            return int(count.scalar_one()) - 2 * self.population.studies
