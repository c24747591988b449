"""The picture of the fundus that is kept with a result, and where its scan lies on it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset

from core.errors import ScanRefused
from core.logs import get_logger
from core.values.fundus import RING_LIMITS, PreparedFundus
from core.values.fundus_place import FundusPlace, FundusSource
from core.values.laterality import Laterality
from core.values.scan import CircleGeometry, FundusGeometry, GridGeometry, Scan, ScanKind
from dicom_node.devices.attributes import silenced_reader
from dicom_node.devices.fundus_pixels import read_photograph_pixels
from dicom_node.devices.localizer import Localizer, read_localizer
from inference.examination import Examination
from inference.preparation.grid_sampling import places
from inference.stored_scan import StoredScan

_log = get_logger(__name__)

#: Long side of the kept picture in pixels: sharp on a page, and small.
LONG_SIDE_PX: Final = 640
#: Retina in one degree of the visual angle: the circle of 3.46 mm is one of 12°.
MM_PER_DEGREE: Final = 3.46 / 12
#: Of a usual disc; the scale of a photograph that states none.
_DISC_DEGREE: Final = 5.8


@dataclass(frozen=True)
class KeptFundus:
    """A picture for people, upright, with the place of the scan on it.

    Attributes
    ----------
    pixels
        uint8, shape (rows, columns) or (rows, columns, 3).
    """

    pixels: NDArray[np.uint8]
    place: FundusPlace


@dataclass(frozen=True)
class _Found:
    """A picture as it came, 0 to 1, with the circle on it in its pixels."""

    source: FundusSource
    pixels: NDArray[np.float32]
    circle: tuple[float, float, float]
    pixels_per_degree: float
    is_scale_known: bool
    left_is_right: bool
    feet_are_down: bool
    #: Height of a pixel as a share of its width.
    row_stretch: float = 1.0


def fundus_of(stored: StoredScan, examination: Examination) -> KeptFundus | None:
    """Return the picture of the fundus of an examined scan; None where there is none to keep.

    It is the localizer that the scan names, or the map or the photograph that was measured. A scan
    that was not measured has no place on it.
    """
    scan, profile = examination.scan, examination.profile
    found = None
    if scan is not None and examination.fundus is not None:
        found = _photograph(scan, examination.fundus)
    elif scan is not None and profile is not None and profile.circle is not None:
        if scan.kind is ScanKind.THICKNESS_MAP:
            found = _map(scan, profile.circle, profile.picture)
        elif stored.localizer is not None:
            found = _localizer(stored.localizer, scan, profile.circle)
    return None if found is None else _kept(found)


def _localizer(dataset: Dataset, scan: Scan, circle: CircleGeometry) -> _Found | None:
    with silenced_reader():
        place = read_localizer(dataset)
        on_picture = _circle_on(place, scan, circle)
        if on_picture is None:
            return None
        try:
            pixels = read_photograph_pixels(dataset)
        except ScanRefused as refusal:
            # The result stands without it.
            _log.info("localizer_unreadable", reason=refusal.reason.code)
            return None
    known = None if place.pixel_degree is None else 1 / place.pixel_degree
    return _Found(
        source=FundusSource.LOCALIZER,
        pixels=pixels,
        circle=on_picture,
        # The circle is one of 12°, whatever its length on this retina.
        pixels_per_degree=known or on_picture[2] / 6,
        is_scale_known=known is not None,
        left_is_right=place.left_is_right,
        feet_are_down=place.feet_are_down,
    )


def _circle_on(
    localizer: Localizer, scan: Scan, circle: CircleGeometry
) -> tuple[float, float, float] | None:
    """Return row, column and radius of the circle in pixels of the localizer."""
    if circle.on_picture is not None:
        drawn = circle.on_picture
        return drawn.row, drawn.column, drawn.radius
    grid = scan.geometry
    if circle.centre_mm is None or not isinstance(grid, GridGeometry) or not grid.picture_pixel_mm:
        return None
    temporal, superior = circle.centre_mm
    left = -temporal if scan.laterality is Laterality.RIGHT else temporal
    return (
        (-superior if localizer.feet_are_down else superior) / grid.picture_pixel_mm,
        (left if localizer.left_is_right else -left) / grid.picture_pixel_mm,
        circle.diameter_mm / 2 / grid.picture_pixel_mm,
    )


def _map(scan: Scan, circle: CircleGeometry, picture: NDArray[np.float32] | None) -> _Found | None:
    grid = scan.geometry
    if picture is None or circle.centre_mm is None or not isinstance(grid, GridGeometry):
        return None
    row_mm, column_mm = abs(grid.row_step_mm[1]), abs(grid.column_step_mm[0])
    row, column = places(grid, np.array([circle.centre_mm]))[0]
    is_temporal = grid.column_step_mm[0] > 0
    return _Found(
        source=FundusSource.THICKNESS_MAP,
        pixels=picture[..., np.newaxis],
        circle=(float(row) + 0.5, float(column) + 0.5, circle.diameter_mm / 2 / column_mm),
        pixels_per_degree=MM_PER_DEGREE / column_mm,
        is_scale_known=False,
        left_is_right=is_temporal is (scan.laterality is Laterality.LEFT),
        feet_are_down=grid.row_step_mm[1] < 0,
        row_stretch=row_mm / column_mm,
    )


def _photograph(scan: Scan, fundus: PreparedFundus) -> _Found | None:
    geometry = scan.geometry
    if fundus.disc is None or not isinstance(geometry, FundusGeometry):
        return None
    disc, known = fundus.disc, _pixels_per_degree(geometry)
    return _Found(
        source=FundusSource.PHOTOGRAPH,
        pixels=scan.pixels,
        circle=(disc.centre_row, disc.centre_column, disc.diameter_px / 2 * RING_LIMITS[1]),
        pixels_per_degree=known or disc.diameter_px / _DISC_DEGREE,
        is_scale_known=known is not None,
        left_is_right=geometry.temporal_is_right is (scan.laterality is Laterality.LEFT),
        feet_are_down=geometry.superior_is_up,
    )


def _pixels_per_degree(geometry: FundusGeometry) -> float | None:
    if geometry.pixel_degree is not None:
        return 1 / geometry.pixel_degree
    return None if geometry.pixel_mm is None else MM_PER_DEGREE / geometry.pixel_mm


def _kept(found: _Found) -> KeptFundus:
    """Turn a picture upright and bring it to the size that is kept."""
    rows, columns = found.pixels.shape[:2]
    scale = LONG_SIDE_PX / max(rows * found.row_stretch, columns)
    if found.source is not FundusSource.THICKNESS_MAP:
        scale = min(1.0, scale)
    row_scale = scale * found.row_stretch
    width, height = max(1, round(columns * scale)), max(1, round(rows * row_scale))
    row, column, radius = found.circle
    row = row if found.feet_are_down else rows - row
    column = column if found.left_is_right else columns - column
    return KeptFundus(
        _resized(_upright(found), (width, height)),
        FundusPlace(
            source=found.source,
            width=width,
            height=height,
            centre_row=round(row * row_scale, 2),
            centre_column=round(column * scale, 2),
            radius=round(radius * scale, 2),
            pixels_per_degree=round(found.pixels_per_degree * scale, 4),
            is_scale_known=found.is_scale_known,
        ),
    )


def _upright(found: _Found) -> NDArray[np.uint8]:
    turned = found.pixels if found.feet_are_down else found.pixels[::-1]
    turned = turned if found.left_is_right else turned[:, ::-1]
    grey = np.round(255 * np.clip(turned, 0, 1)).astype(np.uint8)
    return grey[:, :, 0] if grey.shape[2] == 1 else grey


def _resized(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    # A box mean where it shrinks; evenly blended where a coarse map grows.
    shrinks = size[0] < pixels.shape[1]
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(pixels).resize(size, method), np.uint8)
