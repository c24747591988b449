"""When a field was tested."""

from datetime import datetime
from typing import Final

from pydicom.dataset import Dataset

from dicom_node.devices.attributes import text_of
from dicom_node.devices.examination_time import read_moment

#: The best first. These objects have no acquisition of their own in the standard: what else they
#: say is the day of the test or, for a series and a study, of the visit.
_MOMENTS: Final = (
    ("AcquisitionDateTime", ""),
    ("AcquisitionDate", "AcquisitionTime"),
    ("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"),
    ("ContentDate", "ContentTime"),
    ("SeriesDate", "SeriesTime"),
    ("StudyDate", "StudyTime"),
)


def read_measured_at(dataset: Dataset) -> datetime | None:
    """Return when the test was done, None where nothing says; naive where no zone is named."""
    offset = text_of(dataset, "TimezoneOffsetFromUTC")
    for day, time in _MOMENTS:
        text = text_of(dataset, day)
        moment = read_moment(text + (text_of(dataset, time) if time and text else ""), offset)
        if moment is not None:
            return moment
    return None
