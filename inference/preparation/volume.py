"""From a volume around the optic disc to the circle B-scan that lies in it."""

import math
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.errors import ScanRefused
from core.values.profile import PROFILE_ANGLES_DEGREE
from core.values.reason import ReasonCode
from core.values.scan import CircleGeometry, GridGeometry, Scan, ScanKind
from inference.preparation.disc_centre import Disc, find_disc, refusal
from inference.preparation.grid_sampling import (
    CIRCLE_DIAMETER_MM,
    circle_mm,
    neighbours,
    on_grid,
    places,
)
from inference.preparation.grid_steps import check_grid
from inference.preparation.outer_surface import OuterSurface, find_outer_surface

#: Fewer than this hold no retina around a disc.
_FEWEST: Final = (24, 64, 24)
#: How much of the field must show the outer retina.
_LEAST_FOUND: Final = 0.5
_FOUND_SMOOTH_MM: Final = 0.08
#: The circle is as high as all its A-scans were scanned; no retina shows its layers in less.
_LEAST_DEPTH_UM: Final = 500.0


def circle_in_volume(scan: Scan) -> Scan:
    """Return the circle scan of 3.46 mm around the disc of a volume.

    Its A-scans are blended of their four neighbours, each shifted so that the pigment epithelium is
    straight: this undoes the tilt of the retina and the motion of the eye between B-scans, and
    leaves every thickness as it was.

    Raises
    ------
    ScanRefused
        `pixels_unreadable`, `scan_pattern_unsupported` for B-scans too far apart, `signal_too_low`
        for black pictures, `disc_not_found`.
    """
    geometry = check_grid(scan, _FEWEST)
    if not np.isfinite(scan.pixels).all():
        raise ScanRefused(
            ReasonCode.PIXELS_UNREADABLE,
            "The volume has values that are no numbers. Export the scan again.",
        )
    surface = find_outer_surface(scan.pixels, scan.axial_um, math.hypot(*geometry.column_step_mm))
    if surface is None:
        raise ScanRefused(
            ReasonCode.SIGNAL_TOO_LOW,
            "The B-scans have no contrast: they are black or overexposed. Scan the eye again.",
        )
    disc = disc_of(surface, geometry)
    places_px = places(geometry, circle_mm(disc.centre_mm))
    if not on_grid(places_px, (scan.pixels.shape[0], scan.pixels.shape[2])):
        raise refusal(
            f"it lies too near the edge of the field for a circle of {CIRCLE_DIAMETER_MM} mm"
        )
    return replace(
        scan,
        kind=ScanKind.CIRCLE,
        pixels=_along_circle(scan.pixels, scan.axial_um, surface, places_px),
        lateral_um=1000 * math.pi * CIRCLE_DIAMETER_MM / len(places_px),
        geometry=CircleGeometry(PROFILE_ANGLES_DEGREE, CIRCLE_DIAMETER_MM),
    )


def disc_of(surface: OuterSurface, geometry: GridGeometry) -> Disc:
    """Return the disc: where the pigment epithelium is missing; see `find_disc` for refusals."""
    found = surface.found.mean()
    if found < _LEAST_FOUND:
        raise refusal(f"the outer retina shows in {found:.0%} of the field only")
    bins = _of_bins(geometry, surface.columns_a_bin)
    sigma = [
        _FOUND_SMOOTH_MM / math.hypot(*step) for step in (bins.row_step_mm, bins.column_step_mm)
    ]
    share = ndimage.gaussian_filter(surface.found.astype(np.float32), sigma, mode="nearest")
    return find_disc(share < 0.5, bins, "pigment epithelium")


def _of_bins(geometry: GridGeometry, columns_a_bin: int) -> GridGeometry:
    """Return the grid whose columns are bins of the columns."""
    middle = (columns_a_bin - 1) / 2
    temporal, superior = geometry.origin_mm
    across, up = geometry.column_step_mm
    return replace(
        geometry,
        origin_mm=(temporal + middle * across, superior + middle * up),
        column_step_mm=(across * columns_a_bin, up * columns_a_bin),
    )


def _along_circle(
    pixels: NDArray[np.float32],
    axial_um: float,
    surface: OuterSurface,
    places_px: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return the B-scan along places of shape (columns, 2), as high as all of them were scanned."""
    near = neighbours(places_px, (pixels.shape[0], pixels.shape[2]))
    rows = surface.rows_at(near.rows, near.columns.astype(np.float64))
    first = math.ceil(-rows.min())
    last = math.floor(pixels.shape[1] - 1 - rows.max())
    if last - first < _LEAST_DEPTH_UM / axial_um:
        raise ScanRefused(
            ReasonCode.SEGMENTATION_UNRELIABLE,
            "The retina leaves the depth scanned along the circle. Scan the eye again, with the "
            "retina level in the middle of the picture.",
        )
    wanted = np.arange(first, last + 1)
    picture = np.zeros((len(wanted), len(places_px)), np.float32)
    for corner in range(len(rows)):
        a_scans = pixels[near.rows[corner], :, near.columns[corner]]
        depth = rows[corner][:, np.newaxis] + wanted
        upper = np.clip(depth.astype(np.intp), 0, pixels.shape[1] - 2)
        share = (depth - upper).astype(np.float32)
        value = np.take_along_axis(a_scans, upper, 1) * (1 - share)
        value += np.take_along_axis(a_scans, upper + 1, 1) * share
        picture += value.T * near.weights[corner].astype(np.float32)
    return picture
