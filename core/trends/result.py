"""One result in the trend of its eye, and what becomes of it there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from core.values.prediction import ModelIdentity
from core.values.profile import SECTOR_LIMITS_DEGREE
from core.values.scan import Device, ScanKind

#: Years of scans: devices that know no date write what they like.
DRAWABLE_YEARS: Final = range(1900, 2200)


class Place(StrEnum):
    """What becomes of a result in the trend."""

    #: It is the visit of its day, for its device, model and kind of scan.
    COUNTED = "counted"
    #: Another scan of that day, of the same device, model and kind, is the visit.
    ANOTHER_COUNTS = "another_counts"
    #: A person rejected it, or said that the scan cannot be assessed.
    WITHHELD = "withheld"
    #: A person put another mean deviation in its place.
    AMENDED = "amended"
    #: There is no estimate, for a reason in the scan.
    NOT_ASSESSABLE = "not_assessable"
    #: There is no estimate, because scoring broke.
    FAILED = "failed"
    #: The scan tells no day it was taken on.
    UNDATED = "undated"


class Index(StrEnum):
    """What is followed from visit to visit."""

    #: Estimated mean deviation, dB.
    MEAN_DEVIATION = "mean_deviation"
    #: Mean thickness of the nerve fibre layer around the disc, µm.
    RNFL_MEAN = "rnfl_mean"
    #: Its mean in each sector, µm.
    T = "T"
    TS = "TS"
    NS = "NS"
    N = "N"
    NI = "NI"
    TI = "TI"

    @property
    def unit(self) -> str:
        """The unit of its values."""
        return "dB" if self is Index.MEAN_DEVIATION else "µm"


#: The sectors of the disc as they are followed, in TSNIT order.
SECTORS: Final = tuple(Index(name) for name in SECTOR_LIMITS_DEGREE)


@dataclass(frozen=True)
class TrendResult:
    """One standing result of an eye.

    Attributes
    ----------
    acquired_at
        When the scan was taken; None where its object does not say.
    mean_deviation_db
        None without an estimate, or where the age is unknown.
    rnfl_um
        Mean thickness of the whole circle and of each sector, µm; empty where the scan gave no
        profile.
    reasons
        Codes of why there is no estimate.
    """

    prediction_id: str
    place: Place
    acquired_at: datetime | None
    predicted_at: datetime
    model: ModelIdentity
    device: Device
    scan_kind: ScanKind | None
    quality_score: float
    mean_deviation_db: float | None
    rnfl_um: Mapping[Index, float]
    reasons: tuple[str, ...] = ()

    @property
    def day(self) -> date | None:
        """The day of the visit, in the node's time zone; None where it is not known."""
        return None if self.acquired_at is None else self.acquired_at.astimezone().date()

    def value(self, index: Index) -> float | None:
        """Return an index of this result, None where it has none."""
        if index is Index.MEAN_DEVIATION:
            return self.mean_deviation_db
        return self.rnfl_um.get(index)


@dataclass(frozen=True)
class MeasuredVisit:
    """A field that a perimeter measured of the eye, beside the estimates.

    Attributes
    ----------
    mean_deviation_db
        By the norm of the estimates; None where the test has not all 52 places or the age is not
        known.
    device_mean_deviation_db
        As the perimeter gave it, by its own norm: not comparable with the other.
    """

    measured_field_id: int
    measured_at: datetime | None
    pattern: str
    strategy: str
    mean_deviation_db: float | None
    device_mean_deviation_db: float | None
