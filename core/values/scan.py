"""What a device measured, free of DICOM."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality


class ScanKind(StrEnum):
    """How the device moved over the retina."""

    CIRCLE = "circle"


@dataclass(frozen=True)
class Device:
    """The device that took a scan; empty text where it did not say."""

    manufacturer: str = ""
    model: str = ""
    serial_number: str = ""


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
    """

    angles_degree: NDArray[np.float64]
    diameter_mm: float


@dataclass(frozen=True)
class Scan:
    """One scan of one eye.

    Attributes
    ----------
    kind
        How the device moved.
    pixels
        float32, shape (rows, columns), 0 to 1, vitreous at the top: the displayed grey values.
    axial_um, lateral_um
        Spacing of rows and of columns in micrometre.
    geometry
        Where each column lies on the retina.
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
    geometry: CircleGeometry
    laterality: Laterality
    acquired_at: datetime | None
    age_years: float | None
    device: Device
    signal_db: float | None = None
    notes: tuple[str, ...] = ()
