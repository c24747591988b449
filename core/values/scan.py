"""What a device measured, free of DICOM."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality


class ScanKind(StrEnum):
    """What a device recorded of the retina."""

    #: One B-scan on a circle around the optic disc.
    CIRCLE = "circle"
    #: Parallel B-scans over a field that holds the optic disc.
    VOLUME = "volume"
    #: Nerve fibre layer thickness over such a field, as the device measured it.
    THICKNESS_MAP = "thickness_map"
    #: A photograph of the fundus.
    FUNDUS = "fundus"


@dataclass(frozen=True)
class Device:
    """The device that took a scan; empty text where it did not say."""

    manufacturer: str = ""
    model: str = ""
    serial_number: str = ""


@dataclass(frozen=True)
class CircleOnPicture:
    """A circle on the localizer, in its pixels as it came; 0 at the corner of the first pixel."""

    row: float
    column: float
    radius: float


@dataclass(frozen=True)
class CircleGeometry:
    """Where each A-scan of a circle lies around the optic disc.

    Attributes
    ----------
    angles_degree
        float64, shape (columns,), 0 to 360: TSNIT angle of each A-scan in the common frame of both
        eyes: 0 temporal, 90 superior, 180 nasal, 270 inferior.
    diameter_mm
        Diameter of the circle on the retina.
    on_picture
        Where the device drew it; None where it did not, or where the circle lies in a grid.
    centre_mm
        Its centre in the frame of the grid it lies in; None where the device scanned the circle.
    """

    angles_degree: NDArray[np.float64]
    diameter_mm: float
    on_picture: CircleOnPicture | None = None
    centre_mm: tuple[float, float] | None = None


@dataclass(frozen=True)
class GridGeometry:
    """Where the A-scans of a grid lie on the retina, in the frame both eyes share.

    Points are (temporal, superior) in millimetre: the first positive toward the temple, the second
    positive upward. The origin of this frame is anywhere; the disc is found in the scan itself.

    Attributes
    ----------
    origin_mm
        The first A-scan of the first row: of the first B-scan of a volume.
    column_step_mm
        From one A-scan of a row to the next.
    row_step_mm
        From one row to the next: from one B-scan of a volume to the next.
    picture_pixel_mm
        Distance of neighbouring pixels of the localizer, whose upper left corner is then the origin
        of this frame; None where the frame has another origin.
    """

    origin_mm: tuple[float, float]
    column_step_mm: tuple[float, float]
    row_step_mm: tuple[float, float]
    picture_pixel_mm: float | None = None


@dataclass(frozen=True)
class FundusGeometry:
    """How a photograph of the fundus is turned, and its scale where the device gives one.

    Attributes
    ----------
    temporal_is_right
        Whether the temple is on the right of the picture; for a right eye seen as usual it is not.
    superior_is_up
        Whether the upper retina is up in the picture, as usual.
    pixel_mm, pixel_degree
        Distance of neighbouring pixels on the retina and as a visual angle; None where unknown.
    """

    temporal_is_right: bool
    superior_is_up: bool
    pixel_mm: float | None = None
    pixel_degree: float | None = None


Geometry = CircleGeometry | GridGeometry | FundusGeometry


@dataclass(frozen=True)
class Scan:
    """One scan of one eye.

    Attributes
    ----------
    kind
        What the device recorded.
    pixels
        float32. Circle: shape (rows, columns), 0 to 1, vitreous at the top: the displayed grey
        values. Volume: shape (B-scans, rows, columns), the same of each B-scan. Thickness map:
        shape (rows, columns), micrometre, NaN where the device has no value. Fundus: shape
        (rows, columns, 1) grey or (rows, columns, 3) red, green and blue, 0 to 1.
    axial_um, lateral_um
        Spacing of rows and of columns of a B-scan in micrometre; NaN where there is no B-scan.
    geometry
        Where its A-scans lie on the retina: circle, grid (volume, thickness map) or fundus.
    laterality
        The eye.
    acquired_at
        When the device took it, local time where it named no zone; None where it did not say.
    age_years
        Age of the patient at the scan; None where unknown. Never invented.
    device
        What took it.
    signal_db
        Signal strength as the device gives it; None where it does not.
    notes
        Warnings for people, without patient data.
    """

    kind: ScanKind
    pixels: NDArray[np.float32]
    axial_um: float
    lateral_um: float
    geometry: Geometry
    laterality: Laterality
    acquired_at: datetime | None
    age_years: float | None
    device: Device
    signal_db: float | None = None
    notes: tuple[str, ...] = ()
