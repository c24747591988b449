"""From a circle scan to the nerve fibre profile between the borders found in it."""

from typing import Final

import numpy as np

from core.errors import ScanRefused
from core.values.profile import PROFILE_SAMPLES, Layers, Profile
from core.values.reason import ReasonCode
from core.values.scan import CircleGeometry, Scan, ScanKind
from inference.preparation.circle_sampling import sample_circle
from inference.preparation.grey_values import standardise
from inference.preparation.layers import find_layers
from inference.preparation.measures import measure
from inference.preparation.quality import judge, without_contrast
from inference.preparation.working_grid import WorkingGrid

#: Fewer rows or columns than this hold no retina around a disc.
_FEWEST_ROWS: Final = 64
_FEWEST_COLUMNS: Final = 64


def measure_circle(scan: Scan) -> Profile:
    """Return the nerve fibre profile of a circle scan, with whether it may be used.

    Raises
    ------
    ScanRefused
        `scan_pattern_unsupported` for anything but a circle, `pixels_unreadable` for a picture too
        small or without finite values.
    """
    geometry = _circle_of(scan)
    rows, columns = scan.pixels.shape
    grid = WorkingGrid.of(rows, columns, scan.axial_um)
    pixels = grid.bring(scan.pixels)
    picture = standardise(pixels, grid.row_um)
    if picture is None:
        nothing = np.full(PROFILE_SAMPLES, np.nan, np.float32)
        return Profile(nothing, without_contrast())
    found = find_layers(picture, grid.row_um)
    layers = Layers(ilm_row=grid.own_rows(found.ilm), rnfl_row=grid.own_rows(found.rnfl))
    thickness_um = (layers.rnfl_row - layers.ilm_row) * scan.axial_um
    return Profile(
        thickness_um=sample_circle(thickness_um, geometry.angles_degree),
        quality=judge(measure(picture, pixels, found, grid.row_um), thickness_um, scan.signal_db),
        layers=layers,
        picture=scan.pixels,
        circle=geometry,
    )


def _circle_of(scan: Scan) -> CircleGeometry:
    if scan.kind is not ScanKind.CIRCLE or not isinstance(scan.geometry, CircleGeometry):
        raise ScanRefused(
            ReasonCode.SCAN_PATTERN_UNSUPPORTED,
            f"The scan is a {scan.kind} and does not say where on a circle its A-scans lie. Send "
            "the peripapillary circle scan of this eye.",
        )
    rows, columns = scan.pixels.shape
    if rows < _FEWEST_ROWS or columns < _FEWEST_COLUMNS or not np.isfinite(scan.pixels).all():
        raise ScanRefused(
            ReasonCode.PIXELS_UNREADABLE,
            f"The picture has {rows} × {columns} pixels or values that are no numbers; at least "
            f"{_FEWEST_ROWS} × {_FEWEST_COLUMNS} are needed. Export the scan again.",
        )
    return scan.geometry
