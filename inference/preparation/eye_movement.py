"""Whether the eye looked aside between two B-scans of a volume: its vessels then break off."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from core.values.scan import GridGeometry
from inference.preparation.outer_surface import OuterSurface

#: The picture from above shows the depth where vessels throw shadows, below the epithelium too.
_DEPTH_UM: Final = (-190.0, 60.0)
_SAMPLED_UM: Final = 4.0
#: What is wider or finer than this along a B-scan is no vessel and no edge of the disc.
_WIDE_MM: Final = 0.5
_FINE_MM: Final = 0.03
_BRIGHTEST_SD: Final = 3.0
#: How far a jump is looked for, and from where on the scan is refused. No jump in 60 simulated
#: volumes with B-scans 0.03 mm apart was taken for more than 0.06 mm.
_REACH_MM: Final = 0.6
_MOST_MM: Final = 0.14
#: Correlation by which a jump must explain two B-scans better than the structure's own course,
#: given up to this distance, and what it must reach.
_LEAST_GAIN: Final = 0.2
_COURSE_MM: Final = 0.12
_LEAST_CORRELATION: Final = 0.4
#: Vessels run aslant: their course is the middle value over this many mm across the B-scans.
_NEAR_MM: Final = 0.36
#: B-scans farther apart share too little structure to tell a jump from a bent vessel or the edge of
#: the disc: at 0.06 mm 9 of 54 simulated volumes without a jump would be refused.
_FARTHEST_MM: Final = 0.04


def check_steady(
    pixels: NDArray[np.float32],
    axial_um: float,
    surface: OuterSurface,
    geometry: GridGeometry,
    b_scans: tuple[int, int],
) -> None:
    """Refuse a volume in which the retina jumps along the B-scans from one to the next.

    A jump across the B-scans alone, a slow drift and a jump spread over several B-scans are not
    seen, and no jump where the B-scans lie more than 0.04 mm apart.

    Parameters
    ----------
    pixels
        float32, shape (B-scans, rows, columns), 0 to 1.
    b_scans
        First and last of those that count.

    Raises
    ------
    ScanRefused
        `segmentation_unreliable` for a jump of more than 0.14 mm.
    """
    if math.hypot(*geometry.row_step_mm) > _FARTHEST_MM:
        return
    picture = _seen_from_above(pixels, axial_um, surface)
    first, last = b_scans
    jumps = jumps_mm(picture, geometry)[first:last]
    largest = float(np.abs(jumps).max(initial=0.0))
    if largest > _MOST_MM:
        raise ScanRefused(
            ReasonCode.SEGMENTATION_UNRELIABLE,
            f"The eye moved while the volume was scanned: the vessels break off by {largest:.2f} "
            "mm between two neighbouring B-scans. Scan the eye again.",
        )


def jumps_mm(picture: NDArray[np.float32], geometry: GridGeometry) -> NDArray[np.float64]:
    """Return how far the retina jumps from each B-scan to the next, shape (B-scans - 1,).

    Millimetre along the columns, beyond the course its structure has there; 0 where none is sure.

    Parameters
    ----------
    picture
        Shape (B-scans, columns): the volume seen from above.
    """
    row_mm, column_mm = math.hypot(*geometry.row_step_mm), math.hypot(*geometry.column_step_mm)
    alike = _correlations(_structure(picture, column_mm), math.ceil(_REACH_MM / column_mm))
    shifts_mm = (np.arange(alike.shape[1]) - alike.shape[1] // 2) * column_mm
    straight = _best(alike, shifts_mm, np.zeros(len(alike)))
    course_mm = ndimage.median_filter(
        shifts_mm[straight], 2 * round(_NEAR_MM / row_mm) + 1, mode="nearest"
    )
    best = _best(alike, shifts_mm, course_mm)
    sure = alike[np.arange(len(alike)), best] >= _LEAST_CORRELATION
    return np.where(sure, shifts_mm[best] - course_mm, 0.0)


def _seen_from_above(
    pixels: NDArray[np.float32], axial_um: float, surface: OuterSurface
) -> NDArray[np.float32]:
    """Return the mean brightness around the pigment epithelium, shape (B-scans, columns)."""
    count, rows, columns = pixels.shape
    b_scans, a_scans = np.indices((count, columns))
    middle = np.rint(surface.rows_at(b_scans, a_scans.astype(np.float64))).astype(np.intp)
    low, high = (round(depth / axial_um) for depth in _DEPTH_UM)
    steps = range(low, high, max(1, round(_SAMPLED_UM / axial_um)))
    total = np.zeros((count, columns), np.float32)
    for step in steps:
        total += pixels[b_scans, np.clip(middle + step, 0, rows - 1), a_scans]
    return total / np.float32(len(steps))


def _structure(picture: NDArray[np.float32], column_mm: float) -> NDArray[np.float32]:
    """Return vessels and edges of each B-scan, with the same strength in all."""
    flat = picture - ndimage.gaussian_filter1d(picture, _WIDE_MM / column_mm, axis=1)
    smooth = ndimage.gaussian_filter1d(flat, _FINE_MM / column_mm, axis=1)
    strength = np.sqrt((smooth**2).mean(axis=1, keepdims=True))
    even = smooth / np.maximum(strength, 1e-9)
    return np.asarray(np.clip(even, -_BRIGHTEST_SD, _BRIGHTEST_SD), np.float32)


def _correlations(structure: NDArray[np.float32], reach: int) -> NDArray[np.float64]:
    """Return how alike each B-scan and the next are, shifted by -reach to reach columns."""
    columns = structure.shape[1]
    before = np.pad(structure[:-1], ((0, 0), (reach, reach)))
    after = structure[1:]
    norm = np.sqrt((structure**2).sum(axis=1))
    products = [
        np.einsum("ij,ij->i", before[:, begin : begin + columns], after)
        for begin in range(2 * reach, -1, -1)
    ]
    alike = np.stack(products, axis=1) / np.maximum(norm[:-1] * norm[1:], 1e-9)[:, np.newaxis]
    return np.asarray(alike, np.float64)


def _best(
    alike: NDArray[np.float64], shifts_mm: NDArray[np.float64], course_mm: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Return the shift that explains each pair best, one off the course only if much better."""
    off_course = np.abs(shifts_mm - course_mm[:, np.newaxis]) / _COURSE_MM
    return np.asarray((alike - _LEAST_GAIN * np.minimum(off_course, 1)).argmax(axis=1))
