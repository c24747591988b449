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
#: What a Series Description says, the shorter where the longer does not fit.
_WORDS: Final = (", identity corrected", ", ID corrected")
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
    report.SeriesDescription = _described(str(report.SeriesDescription))
    if report.Modality in _DOCUMENTS:
        report.PredecessorDocumentsSequence = [reference_to(former)]
    _stamp(report, at)
    return report


def add_decision(description: str, words: str) -> str:
    """Return a Series Description with the words of a decision, whole: the others give way."""
    longer, shorter = _WORDS
    for replacing in (longer, shorter, ""):
        told = f"{description.replace(longer, replacing)}{words}"
        if len(told) <= _LONGEST_TEXT:
            return told
    return f"{told[: _LONGEST_TEXT - len(words)]}{words}"


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


def _described(description: str) -> str:
    if any(words in description for words in _WORDS):
        return description
    fitting = [w for w in _WORDS if len(description) + len(w) <= _LONGEST_TEXT]
    return f"{description}{fitting[0]}" if fitting else description


def _stamp(report: Dataset, at: datetime) -> None:
    offset = str(report.get("TimezoneOffsetFromUTC", ""))
    moment = at.astimezone(datetime.strptime(offset, "%z").tzinfo if offset else UTC)
    for name in ("Content", "InstanceCreation"):
        if f"{name}Date" in report:
            setattr(report, f"{name}Date", moment.strftime("%Y%m%d"))
            setattr(report, f"{name}Time", moment.strftime("%H%M%S.%f"))
