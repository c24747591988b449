"""Simulates eyes group by group into a file, and B-scans of the first into a folder."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from arcuate.profile_table import ProfileFrom
from arcuate.simulated_b_scans import write_b_scans
from arcuate.simulated_table import EyeTable, write_eyes
from core.values.laterality import Laterality
from inference.simulation.anatomy import Anatomy
from inference.simulation.eyes import simulate_eyes
from inference.simulation.fields import PatternSource
from inference.simulation.severity import SeverityShares

#: Eyes simulated at a time, whatever is asked for: a seed gives the same first eyes.
GROUP: Final = 2000


@dataclass(frozen=True)
class SimulatedSet:
    """What is simulated, and where B-scans of the first eyes go.

    Attributes
    ----------
    healthy_share
        0 to 1.
    b_scans
        Folder of the B-scans, made where it is not there; None writes none.
    anatomy
        How anatomy varies between the eyes; None builds every eye as the normal one. Ages and
        fields are the same either way.
    """

    count: int
    seed: int
    patterns: PatternSource
    healthy_share: float
    made_from: ProfileFrom = ProfileFrom.SAMPLES
    b_scans: Path | None = None
    b_scan_count: int = 0
    anatomy: Anatomy | None = None

    @property
    def groups(self) -> range:
        """Number of the first eye of each group, from 0."""
        return range(0, self.count, GROUP)


@dataclass(frozen=True)
class Mix:
    """What was simulated: how many are healthy, and the shares of severities among all."""

    healthy_share: float
    severity: SeverityShares


def write_set(wanted: SimulatedSet, out: Path, groups: Iterable[int]) -> Mix:
    """Simulate and write; return the mix that came out.

    Parameters
    ----------
    groups
        `wanted.groups`, as they are to be worked on: a progress bar around them.

    Raises
    ------
    TableUnwritable
        If the file cannot be written.
    TrainingDataInvalid
        If the patterns cannot give the mix that is asked for.
    """
    healthy: list[NDArray[np.bool_]] = []
    mean_deviation_db: list[NDArray[np.float32]] = []

    def tables() -> Iterator[EyeTable]:
        eye_rng, side_rng, scan_rng, anatomy_rng = np.random.default_rng(wanted.seed).spawn(4)
        for first in groups:
            size = min(GROUP, wanted.count - first)
            anatomies = None if wanted.anatomy is None else wanted.anatomy.draw(anatomy_rng, size)
            eyes = simulate_eyes(eye_rng, size, wanted.patterns, wanted.healthy_share, anatomies)
            sides = side_rng.choice([side.value for side in Laterality], size=size)
            table = EyeTable.of(eyes, sides, first + 1, wanted.made_from, anatomies)
            healthy.append(eyes.healthy)
            mean_deviation_db.append(eyes.mean_deviation_db)
            if wanted.b_scans is not None:
                shown = slice(max(0, wanted.b_scan_count - first))
                names = table.eye_ids[shown], sides[shown]
                write_b_scans(wanted.b_scans, *names, eyes.thickness_um[shown], scan_rng)
            yield table

    write_eyes(out, tables())
    return Mix(
        float(np.mean(np.concatenate(healthy))),
        SeverityShares.of(np.concatenate(mean_deviation_db)),
    )
