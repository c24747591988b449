"""How long each stage from a circle scan to its profile takes, and the plain search beside ours."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from arcuate.bench.plain_shortest_path import plain_shortest_path
from core.perimetry.rnfl import normal_profile_um
from core.values.laterality import Laterality
from inference.preparation.grey_values import standardise
from inference.preparation.layers import FoundLayers, find_layers
from inference.preparation.measures import measure
from inference.preparation.quality import judge
from inference.preparation.shortest_path import shortest_path
from inference.simulation.b_scans import FRAME, simulate_b_scan

#: The eye that is measured: any does, the work does not depend on it.
_AGE_YEARS: Final = 60.0
_SEED: Final = 1
#: The search for one border as in `inference.preparation.layers`.
_STEP_ROWS: Final = 2
_STEP_PENALTY: Final = 0.05


@dataclass(frozen=True)
class StageFigures:
    """Median processor time of each stage in milliseconds, in the order of the work.

    Attributes
    ----------
    stages_ms
        From grey values to the judged profile of one scan.
    search_ms, plain_search_ms
        The cheapest path through one whole B-scan, as the node searches it and plainly.
    """

    stages_ms: Mapping[str, float]
    search_ms: float
    plain_search_ms: float

    @property
    def scan_ms(self) -> float:
        """All stages of one scan."""
        return sum(self.stages_ms.values())


def measure_stages(repeats: int) -> StageFigures:
    """Measure a simulated circle scan that many times, each stage by itself."""
    rng = np.random.default_rng(_SEED)
    pixels = simulate_b_scan(normal_profile_um(_AGE_YEARS), Laterality.RIGHT, rng).shown
    picture = standardise(pixels, FRAME.axial_um)
    if picture is None:
        raise AssertionError("a simulated scan has contrast")
    found = find_layers(picture, FRAME.axial_um)
    cost = -np.gradient(picture, axis=0)
    stages = {
        "grey values": lambda: standardise(pixels, FRAME.axial_um),
        "borders": lambda: find_layers(picture, FRAME.axial_um),
        "quality": lambda: _judge(picture, pixels, found),
    }
    return StageFigures(
        {name: _median_ms(work, repeats) for name, work in stages.items()},
        _median_ms(lambda: shortest_path(cost, _STEP_ROWS, _STEP_PENALTY), repeats),
        _median_ms(lambda: plain_shortest_path(cost, _STEP_ROWS, _STEP_PENALTY), repeats),
    )


def _judge(picture: NDArray[np.float32], pixels: NDArray[np.float32], found: FoundLayers) -> object:
    thickness_um = (found.rnfl - found.ilm) * FRAME.axial_um
    return judge(measure(picture, pixels, found, FRAME.axial_um), thickness_um, None)


def _median_ms(work: Callable[[], object], repeats: int) -> float:
    """Return the median processor time: other programs on the machine do not count."""
    spent = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return 1000 * statistics.median(spent)
