"""The centre of the optic disc, from where something is missing that only the disc lacks."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from core.values.scan import GridGeometry
from inference.preparation.grid_sampling import points_mm

#: Diameter of the circle that is as large as the opening. Discs are 1.0 to 2.6 mm across.
DIAMETER_LIMITS_MM: Final = (1.0, 2.6)
#: Shorter by longer axis, and share of the ellipse with the same axes that is filled.
_LEAST_ROUNDNESS: Final = 0.6
_LEAST_FILLED: Final = 0.85
#: What is narrower than twice this is a vessel's shadow or a crescent, and no part of a disc.
_TONGUE_MM: Final = 0.25
#: How much is missing outside of a disc at the most; more, and nothing was seen.
_MOST_MISSING_OUTSIDE: Final = 0.25


@dataclass(frozen=True)
class Disc:
    """An optic disc found in a grid.

    Attributes
    ----------
    centre_mm
        (temporal, superior) in the frame of the grid.
    diameter_mm
        Of the circle with the same area.
    """

    centre_mm: tuple[float, float]
    diameter_mm: float


@dataclass(frozen=True)
class _Region:
    mask: NDArray[np.bool_]
    disc: Disc
    roundness: float
    filled: float
    touches_edge: bool

    @property
    def is_disc(self) -> bool:
        low, high = DIAMETER_LIMITS_MM
        return (
            low <= self.disc.diameter_mm <= high
            and self.roundness >= _LEAST_ROUNDNESS
            and self.filled >= _LEAST_FILLED
        )


def find_disc(missing: NDArray[np.bool_], geometry: GridGeometry, what: str) -> Disc:
    """Return the disc: the one round region of a plausible size where something is missing.

    Parameters
    ----------
    missing
        Shape (rows, columns): true where the grid lacks what every place but the disc has.
    geometry
        Of that grid.
    what
        What is missing, for the message of a refusal.

    Raises
    ------
    ScanRefused
        `disc_not_found` where there is no such region, more than one, or one cut by the edge.
    """
    regions = _regions(_without_tongues(missing, geometry), geometry)
    discs = [region for region in regions if region.is_disc and not region.touches_edge]
    if len(discs) != 1:
        raise refusal(_why(regions, len(discs), what))
    outside = missing & ~ndimage.binary_dilation(discs[0].mask, iterations=2)
    if outside.mean() > _MOST_MISSING_OUTSIDE:
        raise refusal(f"the {what} is missing in {outside.mean():.0%} of the field beside it")
    return discs[0].disc


def refusal(cause: str) -> ScanRefused:
    """Return the refusal of a scan in which the disc was not found, with its remedy."""
    return ScanRefused(
        ReasonCode.DISC_NOT_FOUND,
        f"The optic disc was not found in the scan: {cause}. Scan the eye again with the disc in "
        "the middle of the field, or send the circle scan around it.",
    )


def _without_tongues(missing: NDArray[np.bool_], geometry: GridGeometry) -> NDArray[np.bool_]:
    """Return the map opened by a disc of `_TONGUE_MM` and its holes filled."""
    spacing = _spacing_mm(geometry)
    filled = ndimage.binary_fill_holes(missing)
    # What lies beyond the edge counts as missing, so that a disc cut by it is seen to be cut.
    padded = np.pad(filled, 1, mode="edge")
    depth_mm = ndimage.distance_transform_edt(padded, sampling=spacing)[1:-1, 1:-1]
    core = depth_mm > _TONGUE_MM
    if not core.any():
        return np.zeros_like(missing)
    return np.asarray(ndimage.distance_transform_edt(~core, sampling=spacing) < _TONGUE_MM)


def _regions(missing: NDArray[np.bool_], geometry: GridGeometry) -> list[_Region]:
    labels, count = ndimage.label(missing)
    return [_region(labels == label, geometry) for label in range(1, count + 1)]


def _region(mask: NDArray[np.bool_], geometry: GridGeometry) -> _Region:
    within_mm = points_mm(geometry, (mask.shape[0], mask.shape[1]))[mask]
    steps = np.array((geometry.row_step_mm, geometry.column_step_mm))
    area_mm2 = len(within_mm) * abs(float(np.linalg.det(steps)))
    temporal, superior = within_mm.mean(axis=0)
    # An ellipse with half axes a, b has the variances a²/4 and b²/4 along them.
    spread = np.cov(within_mm.T) if len(within_mm) > 1 else np.zeros((2, 2))
    shorter, longer = np.sqrt(np.clip(np.linalg.eigvalsh(spread), 1e-12, None))
    edges = np.concatenate((mask[0], mask[-1], mask[:, 0], mask[:, -1]))
    return _Region(
        mask=mask,
        disc=Disc((float(temporal), float(superior)), 2 * math.sqrt(area_mm2 / math.pi)),
        roundness=float(shorter / longer),
        filled=area_mm2 / (4 * math.pi * float(shorter * longer)),
        touches_edge=bool(edges.any()),
    )


def _why(regions: list[_Region], discs: int, what: str) -> str:
    if discs > 1:
        return f"the {what} is missing in {discs} places that could be a disc"
    if any(region.touches_edge for region in regions):
        return f"the {what} is missing at the edge of the field, which may cut the disc"
    if regions:
        largest = max(region.disc.diameter_mm for region in regions)
        return f"the largest region without {what} is {largest:.1f} mm wide or not round"
    return f"there is no round region without {what}"


def _spacing_mm(geometry: GridGeometry) -> tuple[float, float]:
    return math.hypot(*geometry.row_step_mm), math.hypot(*geometry.column_step_mm)
