"""The simulated eyes a reference model is trained, stopped, calibrated and measured on."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.sector_profile import profiles_from_sectors, sectors_of
from inference.simulation.anatomy import Anatomy
from inference.simulation.bank import Part, read_bank
from inference.simulation.eyes import SimulatedEyes, simulate_eyes
from inference.simulation.fields import PatternSource
from inference.simulation.wedges import WedgePatterns

#: Share of the training eyes whose profile is rebuilt from its six sector means, so that the
#: network knows such profiles too.
SECTOR_SHARE: Final = 0.15
#: Share of the training eyes whose build varies on top of the calibrated spread, so that the
#: network and the gate know turned eyes, long ones and bare vessels.
VARIED_SHARE: Final = 0.2
#: Eyes simulated at once, to bound memory.
_CHUNK: Final = 20000


@dataclass(frozen=True)
class EyeSets:
    """Simulated eyes of patients that are in one set each."""

    training: SimulatedEyes
    validation: SimulatedEyes
    calibration: SimulatedEyes


def draw_eye_sets(seed: int, bank: Path | None, training_eyes: int, held_back_eyes: int) -> EyeSets:
    """Return the eyes to train on, to stop by, and to set the intervals on.

    Raises
    ------
    TrainingDataInvalid
        If the bank cannot be read.
    """
    sources = {part: pattern_source(bank, part) for part in Part}
    training, validation, calibration = np.random.default_rng(seed).spawn(3)
    return EyeSets(
        draw_eyes(training, training_eyes, sources[Part.TRAIN], VARIED_SHARE),
        draw_eyes(validation, held_back_eyes, sources[Part.VALIDATION]),
        draw_eyes(calibration, held_back_eyes, sources[Part.CALIBRATION]),
    )


def pattern_source(bank: Path | None, part: Part) -> PatternSource:
    """Return the patterns of one part of the bank's patients, or wedges where there is no bank."""
    return WedgePatterns() if bank is None else read_bank(bank, part)


def draw_eyes(
    rng: np.random.Generator, count: int, patterns: PatternSource, varied_share: float = 0.0
) -> SimulatedEyes:
    """Return any number of simulated eyes.

    Parameters
    ----------
    varied_share
        Share of them whose build varies as `Anatomy` says, 0 to 1; they lie in between the others.
    """
    sizes = [min(_CHUNK, count - start) for start in range(0, count, _CHUNK)]
    return _joined([_chunk(rng, size, patterns, varied_share) for size in sizes])


def _chunk(
    rng: np.random.Generator, count: int, patterns: PatternSource, varied_share: float
) -> SimulatedEyes:
    varied = round(varied_share * count)
    parts = []
    if plain := count - varied:
        parts.append(simulate_eyes(rng, plain, patterns))
    if varied:
        anatomies = Anatomy().draw(rng, varied)
        parts.append(simulate_eyes(rng, varied, patterns, anatomies=anatomies))
    return parts[0] if parts[1:] == [] else _part(_joined(parts), rng.permutation(count))


def from_sectors(eyes: SimulatedEyes) -> SimulatedEyes:
    """Return the same eyes as a report of six sectors shows them: profiles rebuilt from those."""
    rebuilt_um = profiles_from_sectors(sectors_of(eyes.thickness_um), eyes.age_years)
    return replace(eyes, thickness_um=rebuilt_um)


def partly_from_sectors(eyes: SimulatedEyes) -> SimulatedEyes:
    """Return the eyes with the first `SECTOR_SHARE` of them rebuilt from sectors."""
    count = round(SECTOR_SHARE * len(eyes))
    first = _part(eyes, slice(0, count))
    return _joined([from_sectors(first), _part(eyes, slice(count, None))])


def _part(eyes: SimulatedEyes, which: slice | NDArray[np.intp]) -> SimulatedEyes:
    return SimulatedEyes(**{field.name: getattr(eyes, field.name)[which] for field in fields(eyes)})


def _joined(parts: Sequence[SimulatedEyes]) -> SimulatedEyes:
    names = [field.name for field in fields(SimulatedEyes)]
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return SimulatedEyes(**arrays)
