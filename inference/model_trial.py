"""Lets a model answer for eyes whose answers are known to make sense, before it judges a patient's.

Finds networks that cannot work here at all; how good one is, its card says.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.rnfl import normal_profile_um
from core.values.fundus import FUNDUS_ANGLES, FUNDUS_SHAPE
from inference.errors import ModelDamaged, PredictionFailed
from inference.model_card import ModelCard, ModelKind
from inference.predictor import Predictor

#: No sensitivity of a perimeter, nor a network's overshoot of one, lies outside, in dB.
PLAUSIBLE_DB: Final = (-5.0, 45.0)
#: Between an eye alone and the same eye among others, in dB; sums are added in another order.
SAME_DB: Final = 0.01
#: Healthy and lost structure must differ by this much at some point, in dB.
DIFFERENT_DB: Final = 0.1

_AGE_YEARS: Final = 60.0
#: Share of the healthy thickness left in the upper and in the lower half of the disc.
_LEFT: Final = ((1.0, 1.0), (0.8, 0.8), (0.5, 0.5), (0.5, 1.0), (1.0, 0.5))


@dataclass(frozen=True)
class _Eyes:
    """Structures as the network reads them, (n, *shape), and ages in years, (n,), float32."""

    structure: NDArray[np.float32]
    age_years: NDArray[np.float32]


def try_model(card: ModelCard, device: str = "cpu") -> None:
    """Load a model and let it answer.

    Raises
    ------
    ModelDamaged
        If it cannot be read safely, or gives anything but a plausible field for each eye, which
        depends on the eye and on nothing else.
    DeviceUnavailable, RuntimeUnavailable
        As `Predictor.load`.
    """
    predictor = Predictor.load(card, device)
    eyes = _Eyes(*trial_eyes(card))
    together = _answer(predictor, eyes)
    label = f"{card.name} {card.version}"
    low, high = float(together.min()), float(together.max())
    if low < PLAUSIBLE_DB[0] or high > PLAUSIBLE_DB[1]:
        raise ModelDamaged(
            f"{label} gives from {low:.1f} to {high:.1f} dB for ordinary eyes; fields lie between "
            "0 and 40 dB. Its output must be sensitivities in dB, not deviations or shares."
        )
    # The structures of one age, where only they can make the difference.
    if np.ptp(together[: len(_LEFT)], axis=0).max() < DIFFERENT_DB:
        raise ModelDamaged(
            f"{label} gives the same field for a healthy disc and for one that lost half its nerve "
            "fibres. Its inputs must have the unit and the order of the card's."
        )
    _compare_with_alone(predictor, eyes, together, label)


def _compare_with_alone(
    predictor: Predictor, eyes: _Eyes, together: NDArray[np.float32], label: str
) -> None:
    for index in range(len(eyes.age_years)):
        one = slice(index, index + 1)
        alone = _answer(predictor, _Eyes(eyes.structure[one], eyes.age_years[one]))
        apart_db = float(np.abs(alone - together[one]).max())
        if apart_db > SAME_DB:
            raise ModelDamaged(
                f"{label} gives fields {apart_db:.2f} dB apart for the same eye alone and among "
                "others. Export it for inference, without dropout or statistics of the batch."
            )


def _answer(predictor: Predictor, eyes: _Eyes) -> NDArray[np.float32]:
    try:
        return predictor.answer(eyes.structure, eyes.age_years).sensitivities_db
    except PredictionFailed as error:
        raise ModelDamaged(f"Tried with ordinary eyes, the model failed: {error}") from error


def trial_eyes(card: ModelCard) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return eyes of one age with ever less structure, then healthy ones of other ages.

    Structures as the network reads them, (n, *shape), and ages in years, (n,), float32.
    """
    youngest, oldest = card.trained_age_range_years
    middle = float(np.clip(_AGE_YEARS, youngest, oldest))
    ages = [middle] * len(_LEFT) + [youngest, (youngest + oldest) / 2, oldest]
    left = [*_LEFT, *[_LEFT[0]] * 3]
    build = _ring if card.kind is ModelKind.FUNDUS else _profile
    shape = card.inputs[0].shape
    if card.kind is ModelKind.FUNDUS and shape != FUNDUS_SHAPE:
        raise ModelDamaged(
            f"{card.name} {card.version} reads photographs of {shape}; here they are unrolled to "
            f"{FUNDUS_SHAPE} (angles, radii, channels). Train it on these."
        )
    structures = [build(age, *shares) for age, shares in zip(ages, left, strict=True)]
    stacked = np.stack(structures).reshape(-1, *shape)
    return stacked, np.array(ages, np.float32)


def _profile(age_years: float, upper: float, lower: float) -> NDArray[np.float32]:
    healthy_um = normal_profile_um(age_years)
    half = len(healthy_um) // 2
    shares = np.repeat([upper, lower], half)
    return np.asarray(healthy_um * shares, np.float32)


def _ring(_age_years: float, upper: float, lower: float) -> NDArray[np.float32]:
    """Return an evenly grey ring without vessels, darker and without streaks where fibres lack."""
    shares = np.repeat([upper, lower], FUNDUS_ANGLES // 2)[:, np.newaxis]
    brightness = np.broadcast_to(0.5 * (shares - 1), FUNDUS_SHAPE[:2])
    striation = np.broadcast_to(0.02 * shares, FUNDUS_SHAPE[:2])
    nothing, everything = np.zeros(FUNDUS_SHAPE[:2]), np.ones(FUNDUS_SHAPE[:2])
    return np.stack([brightness, striation, nothing, everything], axis=-1).astype(np.float32)
