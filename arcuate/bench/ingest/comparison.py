"""Ours and others in turn, so that whatever else the machine does meets all alike."""

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from arcuate.bench.ingest.choices import WorkloadName
from arcuate.bench.ingest.figures import Figures
from arcuate.bench.ingest.load import Load
from arcuate.bench.ingest.pdu import SendFailed
from arcuate.bench.ingest.servers.contestant import Contestant
from core.errors import NodeError

#: Told before each run: what is measured now.
Tell = Callable[[str], None]


class BytesDiffer(NodeError):
    """A receiver did not keep exactly what was sent: see `verified` in the table."""


@dataclass(frozen=True)
class Comparison:
    """All runs of one workload with one number of associations.

    Attributes
    ----------
    runs
        Figures by title, ours first; the runs of each in the order of rounds.
    """

    workload: WorkloadName
    title: str
    instances: int
    object_bytes: int
    associations: int
    runs: dict[str, list[Figures]]

    @property
    def medians(self) -> dict[str, Figures]:
        """The medians by title, ours first."""
        return {title: Figures.median_of(runs) for title, runs in self.runs.items()}

    @property
    def is_verified(self) -> bool:
        """Whether everyone kept exactly what was sent, each time."""
        return all(median.is_verified for median in self.medians.values())


def compare(
    load: Load,
    associations: int,
    contestants: Sequence[Contestant],
    rounds: int,
    folder: Path,
    tell: Tell,
) -> Comparison:
    """Measure everyone once in each round, the first of them being ourselves.

    Raises
    ------
    ServerFailed, SendFailed
        If a receiver does not start, or does not take what is sent.
    """
    runs: dict[str, list[Figures]] = {contestant.title: [] for contestant in contestants}
    for number in range(1, rounds + 1):
        for contestant in contestants:
            tell(
                f"{load.workload.name}, {associations} associations, "
                f"round {number} of {rounds}: {contestant.title}"
            )
            runs[contestant.title].append(_measure(contestant, load, associations, folder))
    return Comparison(
        load.workload.name,
        load.workload.title,
        len(load.identities),
        load.object_bytes,
        associations,
        runs,
    )


def _measure(contestant: Contestant, load: Load, associations: int, folder: Path) -> Figures:
    # Nobody's syncs shall wait for what another left to be written.
    os.sync()
    place = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    try:
        return contestant.measure(load, associations, place)
    except SendFailed as error:
        raise SendFailed(f"{contestant.title}: {error}") from error
    finally:
        _free(place)


def _free(folder: Path) -> None:
    """Give the space of a run back, and keep its names until everything is measured.

    ext4 does not use a removed file's inode again for a minute or more, and looks for another at
    each new file: whoever runs after a removal would pay for it, several times the usual cost.
    """
    for file in folder.rglob("*"):
        if file.is_file():
            os.truncate(file, 0)
