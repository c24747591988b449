"""From the patch around the disc to the ring a network reads."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, grey_closing, maximum_filter
from scipy.sparse import csr_matrix

from core.values.fundus import FUNDUS_ANGLES, FUNDUS_RADII, RING_LIMITS, RING_RADII
from inference.preparation.fundus_patch import DISC_RADIUS_PX, PATCH_PX, FundusPatch

#: Samples to one place of the ring, along the angle and along the radius.
_FINER: Final = 2
#: Light below this is black: its logarithm would be noise.
_DARKEST: Final = 0.02
#: Vessels are dark lines narrower than this; 9 pixels are 0.7°, wider than any vessel.
_VESSEL_PX: Final = 9
_VESSEL_SMOOTH_PX: Final = 0.7
#: Darker than the light around by this much (logarithm) begins and is surely a vessel.
_VESSEL_FROM, _VESSEL_SURE = 0.08, 0.20
#: Striation is looked for between these two scales, away from vessels.
_FINE_PX: Final = 0.8
#: Radii, in disc radii, of the retina the brightness is counted from.
_REFERENCE_RADII: Final = (1.3, 2.2)
_LEAST_WEIGHT: Final = 1e-3
_LEAST_CLEAR: Final = 0.05


def unroll(patch: FundusPatch) -> NDArray[np.float32]:
    """Return the ring of a patch, float32, shape (128, 24, 4), as `PreparedFundus` describes it."""
    light = np.log(np.maximum(patch.light, _DARKEST))
    smooth = gaussian_filter(light, _VESSEL_SMOOTH_PX)
    bare = grey_closing(smooth, size=(_VESSEL_PX, _VESSEL_PX))
    vessel = np.clip((bare - smooth - _VESSEL_FROM) / (_VESSEL_SURE - _VESSEL_FROM), 0, 1)
    # The walls of a vessel are no striation.
    clear = (1 - maximum_filter(vessel, size=5)) * patch.seen
    filled = (light * (1 - vessel) + bare * vessel) * patch.seen
    layers = np.stack([filled, vessel, clear, _across_fibres(light) * clear, patch.seen])
    places = _place_weights() @ layers.reshape(len(layers), -1).T.astype(np.float32)
    return _channels(*places.T.reshape(len(layers), FUNDUS_ANGLES, FUNDUS_RADII))


def vessel_directions(patch: FundusPatch) -> tuple[float, float, float]:
    """Return depth of the clearest vessels, noise, and share of contrast across radial lines.

    Depth and noise as natural logarithms of light; the share, 0 to 1, of vessels outside the disc:
    one half where lines run any way.
    """
    light = np.log(np.maximum(patch.light, _DARKEST))
    smooth = gaussian_filter(light, _VESSEL_SMOOTH_PX)
    deep = grey_closing(smooth, size=(_VESSEL_PX, _VESSEL_PX)) - smooth
    outside = (_distance() > _REFERENCE_RADII[0] * DISC_RADIUS_PX) & (patch.seen > 0.5)
    if not outside.any():
        return 0.0, 0.0, 0.0
    vessel = outside & (deep > 0.5 * (_VESSEL_FROM + _VESSEL_SURE))
    down, right = np.gradient(smooth)
    cosine, sine = _directions()
    across = float(np.sum((sine * right + cosine * down)[vessel] ** 2))
    along = float(np.sum((cosine * right - sine * down)[vessel] ** 2))
    grain = np.abs(light - gaussian_filter(light, 1.0))[outside]
    return (
        float(np.quantile(deep[outside], 0.97)),
        float(np.median(grain)),
        across / (across + along) if across + along > 0 else 0.0,
    )


def _across_fibres(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return squared contrast across the fibres less that along them: noise has as much of both."""
    down, right = np.gradient(gaussian_filter(light, _FINE_PX))
    cosine, sine = _directions()
    across = -sine * right - cosine * down
    along = cosine * right - sine * down
    return np.asarray(across**2 - along**2, np.float32)


def _channels(
    filled: NDArray[np.float32],
    vessel: NDArray[np.float32],
    clear: NDArray[np.float32],
    across: NDArray[np.float32],
    seen: NDArray[np.float32],
) -> NDArray[np.float32]:
    brightness = filled / np.maximum(seen, _LEAST_WEIGHT)
    fine = across / np.maximum(clear, _LEAST_CLEAR)
    there = seen > 0.5
    low, high = _REFERENCE_RADII
    around = there & (low <= RING_RADII) & (high >= RING_RADII)
    reference = float(np.median(brightness[around])) if around.any() else 0.0
    striation = np.sign(fine) * np.sqrt(np.abs(fine))
    ring = np.stack([brightness - reference, striation, vessel, seen], axis=2)
    ring[~there] = 0
    return np.asarray(ring, np.float32)


@cache
def _place_weights() -> csr_matrix:
    """Return how much each pixel of a patch counts in each place, shape (3072, pixels)."""
    angles = np.deg2rad((np.arange(_FINER * FUNDUS_ANGLES) + 0.5) * 360 / (_FINER * FUNDUS_ANGLES))
    low, high = RING_LIMITS
    shares = (np.arange(_FINER * FUNDUS_RADII) + 0.5) / (_FINER * FUNDUS_RADII)
    radii = (low + shares * (high - low)) * DISC_RADIUS_PX
    rows = PATCH_PX / 2 - 0.5 - np.outer(np.sin(angles), radii)
    columns = PATCH_PX / 2 - 0.5 + np.outer(np.cos(angles), radii)
    angle, radius = np.indices(rows.shape)
    place = angle // _FINER * FUNDUS_RADII + radius // _FINER
    top, left = np.floor(rows), np.floor(columns)
    weights, pixels = [], []
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = (1 - np.abs(rows - top - down)) * (1 - np.abs(columns - left - right))
        weights.append((weight / _FINER**2).astype(np.float32).ravel())
        pixels.append(((top + down) * PATCH_PX + left + right).astype(np.intp).ravel())
    entries = (np.concatenate(weights), (np.tile(place.ravel(), 4), np.concatenate(pixels)))
    return csr_matrix(entries, shape=(FUNDUS_ANGLES * FUNDUS_RADII, PATCH_PX**2))


def _distance() -> NDArray[np.float32]:
    """Return how many pixels each pixel of a patch lies from its middle."""
    offset = np.arange(PATCH_PX, dtype=np.float32) + np.float32(0.5 - PATCH_PX / 2)
    return np.asarray(np.hypot(offset[:, np.newaxis], offset[np.newaxis]), np.float32)


@cache
def _directions() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return cosine and sine of each pixel's TSNIT angle on a patch."""
    offset = np.arange(PATCH_PX, dtype=np.float32) + np.float32(0.5 - PATCH_PX / 2)
    up, right = np.meshgrid(-offset, offset, indexing="ij")
    distance = np.maximum(np.hypot(up, right), np.float32(0.5))
    return right / distance, up / distance
