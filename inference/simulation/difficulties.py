"""Circle scans as they come on bad days: one difficulty at a time, or several as chance has it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from inference.simulation.b_scans import BScanOptions
from inference.simulation.displays import Display, Transform
from inference.simulation.vessels import draw_vessels

Difficulty = Callable[[BScanOptions, np.random.Generator], BScanOptions]

#: Share of the scans of a mix that each difficulty is in.
_MIX_SHARE: Final = 0.22


def _weak(options: BScanOptions, rng: np.random.Generator) -> BScanOptions:
    light = replace(
        options.light,
        signal_factor=float(10 ** rng.uniform(-1.7, -0.5)),
        noise_factor=float(10 ** rng.uniform(0, 1)),
        averaged_frames=int(rng.integers(3, 20)),
    )
    return replace(options, light=light)


def _blurred(options: BScanOptions, rng: np.random.Generator) -> BScanOptions:
    return replace(options, light=replace(options.light, blur_rows=float(rng.uniform(1, 6))))


def _crowded(options: BScanOptions, rng: np.random.Generator) -> BScanOptions:
    vessels = (*draw_vessels(rng), *draw_vessels(rng))
    dark = tuple(replace(vessel, shadow=1 - 0.5 * (1 - vessel.shadow)) for vessel in vessels)
    return replace(options, vessels=dark)


def _tilted(options: BScanOptions, rng: np.random.Generator) -> BScanOptions:
    return replace(
        options,
        tilt_rows=float(rng.uniform(30, 70)),
        undulation_rows=float(rng.uniform(5, 15)),
    )


def _moved(options: BScanOptions, rng: np.random.Generator) -> BScanOptions:
    return replace(options, motion_rows=float(rng.uniform(2, 10)))


def _atrophic(options: BScanOptions, rng: np.random.Generator) -> BScanOptions:
    return replace(options, atrophy_degree=float(rng.uniform(40, 160)))


def _decentred(options: BScanOptions, rng: np.random.Generator) -> BScanOptions:
    angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.6)
    offset = (float(distance * np.cos(angle)), float(distance * np.sin(angle)))
    return replace(options, decentration_mm=offset)


def _folded(options: BScanOptions, rng: np.random.Generator) -> BScanOptions:
    return replace(options, folded_rows=float(rng.uniform(5, 60)))


def _amplified(options: BScanOptions, rng: np.random.Generator) -> BScanOptions:
    gain = float(2 ** rng.uniform(-2, 0.8))
    return replace(options, display=replace(options.display, gain=gain))


def _logarithmic(options: BScanOptions, rng: np.random.Generator) -> BScanOptions:
    decades = float(rng.uniform(2.2, 6))
    return replace(options, display=Display(Transform.LOGARITHM, decades=decades))


def _linear(options: BScanOptions, rng: np.random.Generator) -> BScanOptions:
    gain = float(2 ** rng.uniform(-1, 1))
    return replace(options, display=Display(Transform.LINEAR, gain=gain, bits=16))


#: The names are those of the table in `docs/model.md`.
DIFFICULTIES: Final[Mapping[str, Difficulty]] = {
    "weak signal": _weak,
    "blur": _blurred,
    "vessels": _crowded,
    "tilt": _tilted,
    "motion": _moved,
    "atrophy": _atrophic,
    "decentration": _decentred,
    "folded": _folded,
    "gain": _amplified,
    "logarithmic display": _logarithmic,
    "linear display, 16 bit": _linear,
}


def draw_difficult(rng: np.random.Generator) -> BScanOptions:
    """Return options with each difficulty as often as chance has it: none, one or several."""
    options = BScanOptions()
    for difficulty in DIFFICULTIES.values():
        if rng.random() < _MIX_SHARE:
            options = difficulty(options, rng)
    return options
