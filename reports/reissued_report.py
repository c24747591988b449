"""A report once more, because it named another patient than the one it is of.

The former report stays what it was, an object of the archive; this one names it as the document it
replaces, where its kind can.
"""

from datetime import UTC, datetime
from typing import Final

from pydicom import Dataset

from reports.identifiers import derived_uid

#: Who it is of, as every report says it.
IDENTITY: Final = (
    "PatientID",
    "IssuerOfPatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
)
_LONGEST_TEXT: Final = 64
_WORDS: Final = ", identity corrected"
#: Modalities whose objects can name the documents they replace.
_DOCUMENTS: Final = frozenset({"SR", "DOC"})


def names_the_same(one: Dataset, other: Dataset) -> bool:
    """Whether two reports name the same patient in the same words."""
    return all(str(one.get(name) or "") == str(other.get(name) or "") for name in IDENTITY)


def as_successor(report: Dataset, former: Dataset, at: datetime) -> Dataset:
    """Make a report that was built anew the object that follows a former one; return it.

    Parameters
    ----------
    report
        Complete, with the identity as it is now; it is changed.
    at
        When it was made.
    """
    report.SeriesInstanceUID = derived_uid("series", "identity", str(former.SOPInstanceUID))
    report.SOPInstanceUID = derived_uid("instance", "identity", str(former.SOPInstanceUID))
    report.file_meta.MediaStorageSOPInstanceUID = report.SOPInstanceUID
    report.SeriesDescription = f"{report.SeriesDescription}{_WORDS}"[:_LONGEST_TEXT]
    if report.Modality in _DOCUMENTS:
        report.PredecessorDocumentsSequence = [reference_to(former)]
    _stamp(report, at)
    return report


def reference_to(report: Dataset) -> Dataset:
    """Return an item that names a report, by study, series and instance."""
    instance, series, study = Dataset(), Dataset(), Dataset()
    instance.ReferencedSOPClassUID = report.SOPClassUID
    instance.ReferencedSOPInstanceUID = report.SOPInstanceUID
    series.SeriesInstanceUID = report.SeriesInstanceUID
    series.ReferencedSOPSequence = [instance]
    study.StudyInstanceUID = report.StudyInstanceUID
    study.ReferencedSeriesSequence = [series]
    return study


def _stamp(report: Dataset, at: datetime) -> None:
    offset = str(report.get("TimezoneOffsetFromUTC", ""))
    moment = at.astimezone(datetime.strptime(offset, "%z").tzinfo if offset else UTC)
    for name in ("Content", "InstanceCreation"):
        if f"{name}Date" in report:
            setattr(report, f"{name}Date", moment.strftime("%Y%m%d"))
            setattr(report, f"{name}Time", moment.strftime("%H%M%S.%f"))
