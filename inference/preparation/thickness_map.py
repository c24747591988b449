"""From a nerve fibre thickness map a device measured to the profile on the circle in it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ScanRefused
from core.values.profile import PROFILE_ANGLES_DEGREE, Profile, Quality
from core.values.reason import Reason, ReasonCode
from core.values.scan import CircleGeometry, GridGeometry, Scan
from inference.preparation.disc_centre import Disc, find_disc, refusal
from inference.preparation.grid_sampling import (
    CIRCLE_DIAMETER_MM,
    Neighbours,
    circle_mm,
    neighbours,
    on_grid,
    places,
    points_mm,
)
from inference.preparation.grid_steps import check_grid
from inference.preparation.quality import MEAN_LIMITS_UM

_FEWEST: Final = (24, 24)
#: Thinner than this is a device's zero for "no value": what glia and vessels leave is thicker.
_NO_VALUE_UM: Final = 5.0
#: Between these lies the middle value of any eye's map in micrometre; in millimetre, in grey values
#: of 16 bit or of another layer it does not.
_TYPICAL_LIMITS_UM: Final = (15.0, 200.0)
#: How much of the circle may be without value and is then bridged.
_MOST_GAPS: Final = 0.05
#: Rings around the hole, in mm from its edge: fibres leave a disc thick and thin out, and reach
#: the centre of the macula thin.
_NEAR_MM: Final = (0.15, 0.4)
_FAR_MM: Final = (0.9, 1.3)
_LEAST_NEAR_SHARE: Final = 0.95
#: Thickness that is shown white.
_WHITE_UM: Final = 250.0


def profile_of_map(scan: Scan) -> Profile:
    """Return the profile on the 3.46 mm circle around the disc of a thickness map.

    The disc is the one round hole of the map. `layers` is None: the device drew them.

    Raises
    ------
    ScanRefused
        `pixels_unreadable` for a map too small or not in micrometre, `scan_pattern_unsupported`
        without a grid, `disc_not_found`.
    """
    geometry = check_grid(scan, _FEWEST)
    thickness_um = _with_gaps(scan.pixels)
    disc = find_disc(np.isnan(thickness_um), geometry, "thickness")
    _check_fibres(thickness_um, disc, geometry)
    places_px = places(geometry, circle_mm(disc.centre_mm))
    if not on_grid(places_px, _shape(thickness_um)):
        raise refusal(
            f"it lies too near the edge of the field for a circle of {CIRCLE_DIAMETER_MM} mm"
        )
    sampled = _sampled(thickness_um, neighbours(places_px, _shape(thickness_um)))
    return Profile(
        thickness_um=_bridged(sampled),
        quality=_judge(sampled),
        picture=np.clip(np.nan_to_num(thickness_um) / _WHITE_UM, 0, 1).astype(np.float32),
        circle=CircleGeometry(PROFILE_ANGLES_DEGREE, CIRCLE_DIAMETER_MM, centre_mm=disc.centre_mm),
    )


def _with_gaps(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the map with NaN wherever it has no value.

    Raises
    ------
    ScanRefused
        `pixels_unreadable` if its values are no thickness of nerve fibres in micrometre.
    """
    valid = np.isfinite(pixels) & (pixels >= _NO_VALUE_UM)
    typical = float(np.median(pixels[valid])) if valid.any() else 0.0
    low, high = _TYPICAL_LIMITS_UM
    if not low <= typical <= high:
        raise ScanRefused(
            ReasonCode.PIXELS_UNREADABLE,
            f"The middle value of the thickness map is {typical:.4g} µm, outside {low:.0f} to "
            f"{high:.0f}: it is no nerve fibre layer, or not in micrometre. Export the thickness "
            "map of the nerve fibre layer with its unit.",
        )
    return np.where(valid, pixels, np.float32(np.nan))


def _shape(thickness_um: NDArray[np.float32]) -> tuple[int, int]:
    return thickness_um.shape[0], thickness_um.shape[1]


def _check_fibres(thickness_um: NDArray[np.float32], disc: Disc, geometry: GridGeometry) -> None:
    """Refuse a hole towards which the layer does not thicken, as the centre of the macula."""
    from_disc_mm = points_mm(geometry, _shape(thickness_um)) - np.asarray(disc.centre_mm)
    beyond_mm = np.linalg.norm(from_disc_mm, axis=-1) - disc.diameter_mm / 2

    def mean(limits_mm: tuple[float, float]) -> float:
        ring = (beyond_mm > limits_mm[0]) & (beyond_mm < limits_mm[1]) & ~np.isnan(thickness_um)
        return float(thickness_um[ring].mean()) if ring.any() else 0.0

    near, far = mean(_NEAR_MM), mean(_FAR_MM)
    if near < _LEAST_NEAR_SHARE * far or near < MEAN_LIMITS_UM[0]:
        raise refusal(
            f"beside the hole of the map the layer is {near:.0f} µm thick and farther out "
            f"{far:.0f} µm, so that no fibres leave it"
        )


def _sampled(thickness_um: NDArray[np.float32], near: Neighbours) -> NDArray[np.float64]:
    """Return the values between their neighbours, NaN where most of the weight has none."""
    values = thickness_um[near.rows, near.columns]
    weights = near.weights * ~np.isnan(values)
    total = weights.sum(axis=0)
    sums = (weights * np.nan_to_num(values)).sum(axis=0)
    return np.where(total >= 0.5, sums / np.maximum(total, 0.5), np.nan)


def _bridged(sampled: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the profile with its gaps filled round the circle; all NaN without any value."""
    known = ~np.isnan(sampled)
    if not known.any():
        return sampled.astype(np.float32)
    angles = PROFILE_ANGLES_DEGREE
    filled = np.interp(angles, angles[known], sampled[known], period=360.0)
    return np.asarray(filled, np.float32)


def _judge(sampled: NDArray[np.float64]) -> Quality:
    gaps = float(np.isnan(sampled).mean())
    mean_um = float(np.nanmean(sampled)) if gaps < 1 else 0.0
    reasons = []
    if gaps > _MOST_GAPS:
        reasons.append(
            Reason(
                ReasonCode.SIGNAL_TOO_LOW,
                f"The device gives no thickness on {gaps:.0%} of the circle. Scan the eye again.",
            )
        )
    low, high = MEAN_LIMITS_UM
    if not low <= mean_um <= high:
        reasons.append(
            Reason(
                ReasonCode.SEGMENTATION_UNRELIABLE,
                f"The mean thickness is {mean_um:.0f} µm, outside {low:.0f} to {high:.0f}. Look at "
                "the device's layers, and scan the eye again.",
            )
        )
    return Quality(not reasons, 0.0 if reasons else 1 - gaps, tuple(reasons))
