"""A visual field that a perimeter measured. Read from others, never written by us."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.perimetry.places import sensitivities_at_24_2
from core.values.laterality import Laterality


class FieldPattern(StrEnum):
    """Where a perimeter tested."""

    P24_2 = "24-2"
    P24_2C = "24-2C"
    P30_2 = "30-2"
    P10_2 = "10-2"
    P60_4 = "60-4"
    MACULA = "macula"
    OTHER = "other"


class FieldSource(StrEnum):
    """How a measured field came to us."""

    #: A DICOM object: Ophthalmic Visual Field Static Perimetry Measurements.
    OPV = "opv"
    #: A row of a CSV file.
    CSV = "csv"


@dataclass(frozen=True)
class MeasuredPoint:
    """One tested place.

    Attributes
    ----------
    x_degree, y_degree
        As the patient sees it, +x right, +y up.
    sensitivity_db
        None where the device gave none.
    is_seen
        False where the brightest stimulus was not seen: below 0 dB.
    total_deviation_db, pattern_deviation_db
        As the device gave them, None where it did not.
    """

    x_degree: float
    y_degree: float
    sensitivity_db: float | None
    is_seen: bool = True
    total_deviation_db: float | None = None
    pattern_deviation_db: float | None = None


@dataclass(frozen=True)
class Reliability:
    """How the patient did, as the device counted; None where it did not say."""

    fixation_checks: int | None = None
    fixation_losses: int | None = None
    false_positive_percent: float | None = None
    false_negative_percent: float | None = None
    test_duration_seconds: float | None = None


@dataclass(frozen=True)
class MeasuredField:
    """A test of one eye.

    Attributes
    ----------
    measured_at
        None where nothing says when; such a field is kept and compared with nothing.
    strategy
        In the words of the device's code, empty where it gave none.
    mean_deviation_db, pattern_standard_deviation_db, visual_field_index_percent
        As the device gave them, by its own norm.
    glaucoma_hemifield_test
        In words, empty where the device gave none.
    """

    laterality: Laterality
    pattern: FieldPattern
    points: tuple[MeasuredPoint, ...]
    measured_at: datetime | None = None
    strategy: str = ""
    age_years: float | None = None
    mean_deviation_db: float | None = None
    pattern_standard_deviation_db: float | None = None
    visual_field_index_percent: float | None = None
    glaucoma_hemifield_test: str = ""
    foveal_sensitivity_db: float | None = None
    reliability: Reliability = Reliability()

    @property
    def sensitivities_db(self) -> NDArray[np.float32] | None:
        """The 52 places of the 24-2 in right-eye order, dB; None where one has no value.

        What was not seen counts as 0 dB there, the floor of the instrument and of our estimates.
        """
        values = [0.0 if not point.is_seen else point.sensitivity_db for point in self.points]
        x_degree = [point.x_degree for point in self.points]
        y_degree = [point.y_degree for point in self.points]
        return sensitivities_at_24_2(x_degree, y_degree, values, self.laterality)
