"""Whether a volume or a thickness map lies on a grid fine enough to find a circle in it."""

from typing import Final

import numpy as np

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from core.values.scan import GridGeometry, Scan

#: Farther apart, and the circle would be guessed between rows.
WIDEST_STEP_MM: Final = 0.15
#: Sine of the least angle between rows and columns: a grid, no bundle of lines.
_LEAST_SINE: Final = 0.8


def check_grid(scan: Scan, fewest: tuple[int, ...]) -> GridGeometry:
    """Return the grid of a scan.

    Parameters
    ----------
    fewest
        Least size along each axis of its pixels.

    Raises
    ------
    ScanRefused
        `scan_pattern_unsupported` without a grid or with one too coarse, `pixels_unreadable` for
        too few pixels.
    """
    geometry = scan.geometry
    if not isinstance(geometry, GridGeometry) or scan.pixels.ndim != len(fewest):
        raise ScanRefused(
            ReasonCode.SCAN_PATTERN_UNSUPPORTED,
            f"The {scan.kind} does not say where its rows lie on the retina. Export it with the "
            "location of its frames.",
        )
    if any(count < least for count, least in zip(scan.pixels.shape, fewest, strict=True)):
        raise ScanRefused(
            ReasonCode.PIXELS_UNREADABLE,
            f"The {scan.kind} has {_by(scan.pixels.shape)} pixels and at least {_by(fewest)} are "
            "needed. Export the scan again.",
        )
    _check_steps(geometry)
    return geometry


def _check_steps(geometry: GridGeometry) -> None:
    steps = np.array((geometry.row_step_mm, geometry.column_step_mm))
    lengths = np.linalg.norm(steps, axis=1)
    area = abs(float(np.linalg.det(steps)))
    if lengths.max() > WIDEST_STEP_MM or area < _LEAST_SINE * lengths.prod() or area == 0:
        raise ScanRefused(
            ReasonCode.SCAN_PATTERN_UNSUPPORTED,
            f"Its rows lie {lengths[0]:.2f} mm apart and their columns {lengths[1]:.2f} mm; a grid "
            f"with at most {WIDEST_STEP_MM} mm each way is needed. Send a denser scan, or the "
            "circle scan of this eye.",
        )


def _by(counts: tuple[int, ...]) -> str:
    return " × ".join(map(str, counts))
