"""From a photograph of the fundus to the ring a model reads: the door for photographs."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ScanRefused
from core.values.fundus import FUNDUS_SHAPE, RING_LIMITS, FundusDisc, PreparedFundus
from core.values.profile import Quality
from core.values.reason import Reason, ReasonCode
from core.values.scan import FundusGeometry, Scan, ScanKind
from inference.preparation.fundus_disc import RADII_PX, FoundDisc, find_disc
from inference.preparation.fundus_light import Lighting, Overview, look_over, measure_lighting
from inference.preparation.fundus_measures import measure_fundus
from inference.preparation.fundus_patch import FundusPatch, cut_patch
from inference.preparation.fundus_picture import draw_fundus
from inference.preparation.fundus_quality import disc_missing, judge_fundus, too_dark
from inference.preparation.fundus_ring import unroll
from inference.preparation.fundus_side import macula_side

#: Fewer rows or columns hold no disc with its nerve fibres.
FEWEST_PX: Final = 256
#: Darker than this there is nothing to find.
_DARKEST_LEVEL: Final = 0.02
_DARKEST: Final = 0.02
#: Discs are 1.1 to 2.6 mm across, 3.6 to 8° of the visual angle.
_DISC_MM: Final = (1.1, 2.6)
_DISC_DEGREE: Final = (3.6, 8.0)


def prepare_fundus(scan: Scan) -> PreparedFundus:
    """Return the ring around the disc of a photograph, with whether it may be used.

    A photograph that is too poor, or none of a fundus, gives a ring that is not assessable and says
    why.

    Raises
    ------
    ScanRefused
        `scan_pattern_unsupported` for anything but a photograph of the fundus, `pixels_unreadable`
        for a picture too small or without finite values, `laterality_conflict` where the picture
        shows the macula on the other side of the disc than the header's eye has it.
    """
    geometry = _geometry_of(scan)
    overview = look_over(scan.pixels)
    if not overview.seen.any() or np.median(overview.light[overview.seen]) < _DARKEST_LEVEL:
        return _without_disc(scan, too_dark())
    lighting = measure_lighting(overview)
    log_light = _evened(overview, lighting)
    found = find_disc(
        log_light,
        overview.seen,
        _radii_px(geometry, overview.step),
        may_be_dark=overview.colour is None,
    )
    if found is None:
        return _without_disc(scan, disc_missing())
    disc = FundusDisc(
        centre_row=(found.row + 0.5) * overview.step,
        centre_column=(found.column + 0.5) * overview.step,
        diameter_px=2 * found.radius * overview.step,
    )
    patch = _patch(scan, geometry, overview, lighting, disc)
    ring = unroll(patch)
    quality = judge_fundus(measure_fundus(overview, found, patch, ring))
    notes = _side_notes(scan, geometry, overview, log_light, found) if quality.assessable else ()
    return PreparedFundus(ring, quality, disc, draw_fundus(scan.pixels, disc), notes)


def _geometry_of(scan: Scan) -> FundusGeometry:
    if scan.kind is not ScanKind.FUNDUS or not isinstance(scan.geometry, FundusGeometry):
        raise ScanRefused(
            ReasonCode.SCAN_PATTERN_UNSUPPORTED,
            f"The scan is a {scan.kind}, not a photograph of the fundus. Send a photograph, or "
            "activate a model for this kind of scan.",
        )
    rows, columns = scan.pixels.shape[:2]
    if min(rows, columns) < FEWEST_PX or not np.isfinite(scan.pixels).all():
        raise ScanRefused(
            ReasonCode.PIXELS_UNREADABLE,
            f"The photograph has {rows} × {columns} pixels or values that are no numbers; at least "
            f"{FEWEST_PX} × {FEWEST_PX} are needed. Export it again in full size.",
        )
    return scan.geometry


def _without_disc(scan: Scan, reason: Reason) -> PreparedFundus:
    nothing = np.full(FUNDUS_SHAPE, np.nan, np.float32)
    picture = draw_fundus(scan.pixels, None)
    return PreparedFundus(nothing, Quality(False, 0.0, (reason,)), None, picture)


def _evened(overview: Overview, lighting: Lighting) -> NDArray[np.float64]:
    grid = np.indices(overview.light.shape).astype(np.float64)
    logs = np.log(np.maximum(overview.light, _DARKEST)) - lighting.log_light(*grid)
    return np.asarray(logs * overview.seen)


def _radii_px(geometry: FundusGeometry, step: float) -> tuple[float, float]:
    """Return which disc radii to look for on the overview: fewer where the scale is known."""
    low, high = RADII_PX
    for scale, sizes in ((geometry.pixel_mm, _DISC_MM), (geometry.pixel_degree, _DISC_DEGREE)):
        if scale is not None:
            least, most = (size / (2 * scale * step) for size in sizes)
            if least < high and most > low:
                return max(low, least), min(high, most)
    return low, high


def _patch(
    scan: Scan,
    geometry: FundusGeometry,
    overview: Overview,
    lighting: Lighting,
    disc: FundusDisc,
) -> FundusPatch:
    """Return the evened square around the disc, cut from the photograph in its full size."""
    rows, columns, bands = scan.pixels.shape
    room = (RING_LIMITS[1] + 1.0) * disc.diameter_px / 2
    top, left = max(0, int(disc.centre_row - room)), max(0, int(disc.centre_column - room))
    bottom, right = (
        min(rows, int(disc.centre_row + room) + 1),
        min(columns, int(disc.centre_column + room) + 1),
    )
    light = scan.pixels[top:bottom, left:right, min(1, bands - 1)]
    small_row = (np.arange(top, bottom) + 0.5) / overview.step - 0.5
    small_column = (np.arange(left, right) + 0.5) / overview.step - 0.5
    grid = np.meshgrid(small_row, small_column, indexing="ij")
    even = np.exp(-lighting.log_light(*grid))
    nearest = np.ix_(
        np.clip(np.rint(small_row), 0, overview.seen.shape[0] - 1).astype(np.intp),
        np.clip(np.rint(small_column), 0, overview.seen.shape[1] - 1).astype(np.intp),
    )
    return cut_patch(
        np.asarray(light * even, np.float32),
        overview.seen[nearest],
        FundusDisc(disc.centre_row - top, disc.centre_column - left, disc.diameter_px),
        temporal_is_right=geometry.temporal_is_right,
        superior_is_up=geometry.superior_is_up,
    )


def _side_notes(
    scan: Scan,
    geometry: FundusGeometry,
    overview: Overview,
    log_light: NDArray[np.float64],
    disc: FoundDisc,
) -> tuple[str, ...]:
    """Return what to tell people of the side; refuse where the picture contradicts the header."""
    is_right = macula_side(log_light, overview.seen, disc).is_right
    if is_right is None:
        return (
            "The photograph itself does not show which eye it is; the header's "
            f"{scan.laterality.eye} was taken.",
        )
    if is_right != geometry.temporal_is_right:
        raise ScanRefused(
            ReasonCode.LATERALITY_CONFLICT,
            f"Image Laterality (0020,0062) says {scan.laterality.eye}, but the macula lies on the "
            "other side of the disc than in that eye. Check which eye was photographed and that "
            "the picture is not mirrored, correct the header and send it again.",
        )
    return ()
