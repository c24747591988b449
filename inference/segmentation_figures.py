"""How well the nerve fibre layer is measured in simulated B-scans, by what makes them difficult."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from core.values.laterality import Laterality
from inference.preparation.prepare import prepare
from inference.simulated_scan import scan_of
from inference.simulation.b_scans import FRAME, BScanOptions, simulate_b_scan
from inference.simulation.difficulties import DIFFICULTIES, draw_difficult
from inference.simulation.wedges import WedgePatterns
from inference.training_eyes import draw_eyes

CLEAN: Final = "clean"
MIXED: Final = "all mixed"


@dataclass(frozen=True)
class ScanSettings:
    """How many scans are measured: clean ones, of each difficulty, and of all mixed."""

    clean: int = 500
    each: int = 20
    mixed: int = 200
    seed: int = 20265


@dataclass(frozen=True)
class SegmentationFigures:
    """Thickness found against thickness drawn, in µm, on the scans that were not refused.

    Attributes
    ----------
    refused_share
        0 to 1; the figures below are None where it is 1.
    mae_um, worst_um, bias_um
        Mean absolute error over all scans, that of the worst scan, and found minus true.
    quality_correlation
        Spearman's, of quality score and error; None where it says nothing.
    """

    difficulty: str
    count: int
    refused_share: float
    mae_um: float | None
    worst_um: float | None
    bias_um: float | None
    quality_correlation: float | None


@dataclass(frozen=True)
class _Measured:
    is_assessable: bool
    score: float
    error_um: float
    bias_um: float


def measure_segmentation(settings: ScanSettings) -> tuple[SegmentationFigures, ...]:
    """Return the figures of clean scans, of each difficulty and of all mixed."""
    draws: Mapping[str, tuple[int, Callable[[np.random.Generator], BScanOptions]]] = {
        CLEAN: (settings.clean, lambda _: BScanOptions()),
        **{
            name: (settings.each, partial(make, BScanOptions()))
            for name, make in DIFFICULTIES.items()
        },
        MIXED: (settings.mixed, draw_difficult),
    }
    found = []
    for number, (name, (count, draw)) in enumerate(draws.items()):
        rng = np.random.default_rng((settings.seed, number))
        eyes = draw_eyes(rng, count, WedgePatterns())
        scans = [_measure(rng, thickness, draw(rng)) for thickness in eyes.thickness_um]
        found.append(_figures(name, scans))
    return tuple(found)


def _measure(
    rng: np.random.Generator, thickness_um: NDArray[np.float32], options: BScanOptions
) -> _Measured:
    drawn = simulate_b_scan(thickness_um, Laterality.RIGHT, rng, options)
    profile = prepare(scan_of(drawn))
    difference = np.full(1, np.nan)
    if profile.layers is not None:
        true_um = (drawn.layers.rnfl_row - drawn.layers.ilm_row) * FRAME.axial_um
        difference = (profile.layers.rnfl_row - profile.layers.ilm_row) * FRAME.axial_um - true_um
    return _Measured(
        profile.quality.assessable,
        profile.quality.score,
        float(np.abs(difference).mean()),
        float(difference.mean()),
    )


def _figures(difficulty: str, scans: list[_Measured]) -> SegmentationFigures:
    good = [scan for scan in scans if scan.is_assessable]
    errors = np.array([scan.error_um for scan in good])
    scores = np.array([scan.score for scan in good])
    is_telling = difficulty == MIXED and len(good) > 2
    return SegmentationFigures(
        difficulty=difficulty,
        count=len(scans),
        refused_share=1 - len(good) / len(scans),
        mae_um=float(errors.mean()) if good else None,
        worst_um=float(errors.max()) if good else None,
        bias_um=float(np.mean([scan.bias_um for scan in good])) if good else None,
        quality_correlation=float(spearmanr(scores, errors).statistic) if is_telling else None,
    )
