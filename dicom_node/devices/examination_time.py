"""When a scan was taken and how old the patient then was."""

import re
from datetime import date, datetime, timedelta, timezone
from typing import Final

from pydicom.dataset import Dataset

from dicom_node.devices.attributes import text_of
from dicom_node.devices.functional_groups import frame_item

_DATE_TIME: Final = re.compile(
    r"(\d{4})(\d\d)(\d\d)(\d\d)?(\d\d)?(\d\d)?(?:\.(\d{1,6}))?([+-]\d{4})?"
)
#: Whoever tells a moment of these days in another zone would leave the calendar of Python.
_FIRST_DAY: Final = date(1, 1, 2)
_LAST_DAY: Final = date(9999, 12, 30)
_AGE: Final = re.compile(r"(\d{1,3})([DWMY])")
_UNITS_A_YEAR: Final = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0}
_DAYS_A_YEAR: Final = 365.25
_OLDEST_YEARS: Final = 120.0
#: Patient's Age is given in whole years and may have been entered at an earlier visit.
_AGE_TOLERANCE_YEARS: Final = 2.0


def read_acquired_at(dataset: Dataset) -> datetime | None:
    """Return when the device took the scan, None where it did not say.

    Aware where the object names a zone, otherwise the device's own local time. The study's or the
    content's date is not used: they say when something else happened.
    """
    offset = text_of(dataset, "TimezoneOffsetFromUTC")
    content = frame_item(dataset, 0, "FrameContentSequence") or Dataset()
    candidates = (
        text_of(dataset, "AcquisitionDateTime"),
        text_of(dataset, "AcquisitionDate") + text_of(dataset, "AcquisitionTime"),
        text_of(content, "FrameAcquisitionDateTime"),
    )
    for text in candidates:
        moment = read_moment(text, offset)
        if moment is not None:
            return moment
    return None


def read_moment(text: str, offset: str) -> datetime | None:
    """Return the moment of a DT, or of a DA and a TM written together; None where it is none.

    Nor is one that has no time in every zone, as the first of January of the year 1, which some
    devices write where they know none.

    Parameters
    ----------
    offset
        Timezone Offset From UTC (0008,0201), for a text that names none; it may be empty. Without
        either the moment is naive: the device's own local time.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    microsecond = int((match[7] or "0").ljust(6, "0"))
    # A leap second is 60 in DICOM and unknown to Python.
    clock = hour, minute, min(second, 59), microsecond
    try:
        moment = datetime(year, month, day, *clock, tzinfo=_zone(match[8] or offset))
    except ValueError:
        return None
    return moment if _FIRST_DAY < moment.date() < _LAST_DAY else None


def _zone(offset: str) -> timezone | None:
    if not re.fullmatch(r"[+-]\d{4}", offset):
        return None
    size = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5]))
    return timezone(-size if offset.startswith("-") else size)


def read_age_years(dataset: Dataset, acquired_at: datetime | None) -> float | None:
    """Return the patient's age at the scan in years, None where it is not certain.

    From the birth date and the day of the scan (or of the study); otherwise Patient's Age. Where
    two of these ages differ by more than two years none is believed: an entry is wrong, or the
    clock of the device was.
    """
    born = _day(text_of(dataset, "PatientBirthDate"))
    stated = _stated_age_years(text_of(dataset, "PatientAge"))
    days = (acquired_at.date() if acquired_at else None, _day(text_of(dataset, "StudyDate")))
    ages = [(day - born).days / _DAYS_A_YEAR for day in days if day and born]
    ages += [] if stated is None else [stated]
    if not ages or max(ages) - min(ages) > _AGE_TOLERANCE_YEARS:
        return None
    return _plausible(ages[0])


def _plausible(age_years: float | None) -> float | None:
    if age_years is None or not 0 <= age_years <= _OLDEST_YEARS:
        return None
    return age_years


def _day(text: str) -> date | None:
    moment = read_moment(text, "")
    return moment.date() if moment else None


def _stated_age_years(text: str) -> float | None:
    match = _AGE.fullmatch(text.upper())
    return int(match[1]) / _UNITS_A_YEAR[match[2]] if match else None
