"""Nerve fibre layer profiles of simulated eyes: healthy ones, thinned where the field is lost."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry import rnfl
from core.perimetry.nerve_fibres import ENTRY_ANGLES_DEGREE
from core.values.profile import PROFILE_ANGLES_DEGREE, PROFILE_SAMPLES
from inference.simulation.anatomy import EyeAnatomies, seen_on_the_circle
from inference.simulation.fields import SimulatedFields
from inference.simulation.noise import circle_noise, circle_response, field_noise

#: Between healthy eyes: where the bundles stand (degree), how thick the whole layer is (log),
#: and how it undulates (share, smoothed by degree).
_SUPERIOR_SHIFT_SD_DEGREE: Final = 9.0
_INFERIOR_SHIFT_SD_DEGREE: Final = 7.0
_THICKNESS_LOG_SD: Final = 0.092
_UNDULATION: Final = 0.125
_UNDULATION_LENGTH_DEGREE: Final = 12.0
_HEALTHY_LIMITS_UM: Final = (35.0, 260.0)

#: From a field point to the disc: kernel, anatomy of the eye and of the point, all SD in degree.
_KERNEL_DEGREE: Final = 7.0
_EYE_ROTATION_SD_DEGREE: Final = 4.0
_POINT_JITTER_SD_DEGREE: Final = 5.0
#: The kernel is wide, so survival is worked out at every fourth sample.
_COARSE_STEP: Final = 4

#: The nasal disc serves little of the tested field: it follows the field's loss only in part.
_COUPLING: Final = ((55.0, 0.45), (95.0, 0.75))
_COUPLING_SMOOTH_DEGREE: Final = 12.0

#: What is left without fibres (glia, vessels): a share of the healthy thickness, limits in µm.
_FLOOR_SHARE: Final = 0.33
_FLOOR_LIMITS_UM: Final = (30.0, 42.0)

#: Loss before the field shows any, in eyes with a pattern.
_EARLY_LOSS_MEAN, _EARLY_LOSS_SD = 0.12, 0.20
_EARLY_LOSS_LIMITS: Final = (0.0, 0.7)
_EARLY_LOSS_UNEVEN: Final = 0.5
_EARLY_LOSS_LENGTH_DEGREE: Final = 20.0
_EARLY_KEPT_LIMITS: Final = (0.1, 1.0)

#: Repeatability of the OCT in µm: of a whole scan, and of places a few degree long.
_SCAN_NOISE_UM, _PLACE_NOISE_UM, _PLACE_NOISE_LENGTH_DEGREE = 1.5, 3.0, 3.0
_MEASURED_LIMITS_UM: Final = (15.0, 300.0)

#: Eyes worked on at once, to bound memory.
_CHUNK: Final = 1000


def simulate_profiles(
    rng: np.random.Generator, fields: SimulatedFields, anatomies: EyeAnatomies | None = None
) -> NDArray[np.float32]:
    """Return the measured thickness of each eye in µm, float32, shape (n, 768), TSNIT.

    Parameters
    ----------
    anatomies
        One for each eye; None where every eye is built as the normal one.
    """
    to_temporal = 0.0 if anatomies is None else anatomies.temporal_shift_degree
    healthy_um = healthy_profiles_um(rng, fields.age_years, to_temporal)
    kept = coupled(disc_survival(rng, fields.survival)) * _before_the_field(rng, fields.healthy)
    floor_um = np.clip(_FLOOR_SHARE * healthy_um, *_FLOOR_LIMITS_UM)
    thickness_um = floor_um + (healthy_um - floor_um) * kept
    if anatomies is not None:
        thickness_um = seen_on_the_circle(thickness_um, anatomies)
    return scanned_um(rng, thickness_um)


def healthy_profiles_um(
    rng: np.random.Generator,
    age_years: NDArray[np.float64],
    to_temporal_degree: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float32]:
    """Return the thickness each eye would have without disease in µm, shape (n, 768).

    Parameters
    ----------
    to_temporal_degree
        How much nearer to temporal both humps stand, for all eyes or shape (n,).
    """
    count = len(age_years)
    to_temporal = np.reshape(to_temporal_degree, (-1, 1))
    thickness_um = np.full((count, PROFILE_SAMPLES), rnfl.BASE_UM, dtype=np.float32)
    for bundles, shift_sd, nearer in (
        (rnfl.SUPERIOR_BUNDLES, _SUPERIOR_SHIFT_SD_DEGREE, -to_temporal),
        (rnfl.INFERIOR_BUNDLES, _INFERIOR_SHIFT_SD_DEGREE, to_temporal),
    ):
        shift = shift_sd * rng.standard_normal((count, 1)) + nearer
        angles = PROFILE_ANGLES_DEGREE - shift
        for bundle in bundles:
            thickness_um += rnfl.bundle_um(bundle, angles).astype(np.float32)
    thickness_um *= np.exp(_THICKNESS_LOG_SD * rng.standard_normal((count, 1), dtype=np.float32))
    thickness_um *= 1 + _UNDULATION * circle_noise(rng, count, _UNDULATION_LENGTH_DEGREE)
    ageing_um = rnfl.SLOPE_UM_PER_YEAR * (age_years - rnfl.REFERENCE_AGE_YEARS)
    thickness_um += ageing_um[:, np.newaxis].astype(np.float32)
    return np.clip(thickness_um, *_HEALTHY_LIMITS_UM)


def disc_survival(
    rng: np.random.Generator, point_survival: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the share of fibres left at each angle of the disc, shape (n, 768)."""
    count = len(point_survival)
    angles = ENTRY_ANGLES_DEGREE + _EYE_ROTATION_SD_DEGREE * rng.standard_normal((count, 1))
    angles = angles + _POINT_JITTER_SD_DEGREE * field_noise(rng, count)
    coarse = np.concatenate(
        [
            _kernel_mean(angles[start : start + _CHUNK], point_survival[start : start + _CHUNK])
            for start in range(0, count, _CHUNK)
        ]
    )
    return _refined(coarse)


def coupled(survival: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return survival as the disc shows it: the nasal disc follows the field only in part."""
    return 1 - _coupling() * (1 - survival)


def scanned_um(rng: np.random.Generator, thickness_um: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return true thickness in µm, shape (n, 768), as one OCT scan would measure it."""
    count = len(thickness_um)
    noise_um = _SCAN_NOISE_UM * rng.standard_normal((count, 1), dtype=np.float32)
    noise_um = noise_um + _PLACE_NOISE_UM * circle_noise(rng, count, _PLACE_NOISE_LENGTH_DEGREE)
    return np.clip(thickness_um + noise_um, *_MEASURED_LIMITS_UM).astype(np.float32)


def _kernel_mean(
    angles_degree: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the kernel-weighted mean of the points at every fourth sample, shape (n, 192)."""
    centres = PROFILE_ANGLES_DEGREE[_COARSE_STEP // 2 :: _COARSE_STEP].astype(np.float32)
    angles = angles_degree.astype(np.float32)[:, np.newaxis, :]
    distance = np.abs((centres[:, np.newaxis] - angles + 180) % 360 - 180)
    # Measured from the nearest point, so that a gap between points still has weights to divide by.
    exponent = (distance**2 - np.min(distance, axis=2, keepdims=True) ** 2) / _KERNEL_DEGREE**2
    weights = np.exp(-0.5 * exponent)
    total = np.einsum("nap,np->na", weights, values.astype(np.float32))
    return np.asarray(total / np.sum(weights, axis=2), dtype=np.float32)


def _refined(coarse: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 192 values around the circle as 768, linear in between."""
    ahead, behind = np.roll(coarse, -1, axis=1), np.roll(coarse, 1, axis=1)
    # The coarse value stands at the third of its four samples.
    quarters = (
        0.5 * coarse + 0.5 * behind,
        0.75 * coarse + 0.25 * behind,
        coarse,
        0.75 * coarse + 0.25 * ahead,
    )
    return np.stack(quarters, axis=2).reshape(len(coarse), PROFILE_SAMPLES)


def _coupling() -> NDArray[np.float32]:
    from_nasal = np.abs(PROFILE_ANGLES_DEGREE - 180)
    (near, near_share), (far, far_share) = _COUPLING
    steps = np.where(from_nasal < near, near_share, np.where(from_nasal < far, far_share, 1.0))
    spectrum = np.fft.rfft(steps) * circle_response(_COUPLING_SMOOTH_DEGREE)
    return np.asarray(np.fft.irfft(spectrum, n=PROFILE_SAMPLES), dtype=np.float32)


def _before_the_field(rng: np.random.Generator, healthy: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the share of fibres kept before a field shows any loss, shape (n, 768)."""
    count = len(healthy)
    lost = np.clip(rng.normal(_EARLY_LOSS_MEAN, _EARLY_LOSS_SD, count), *_EARLY_LOSS_LIMITS)
    lost[healthy] = 0
    uneven = 1 + _EARLY_LOSS_UNEVEN * circle_noise(rng, count, _EARLY_LOSS_LENGTH_DEGREE)
    kept = 1 - lost[:, np.newaxis].astype(np.float32) * uneven
    return np.asarray(np.clip(kept, *_EARLY_KEPT_LIMITS), dtype=np.float32)
