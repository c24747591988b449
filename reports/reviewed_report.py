"""A structured report once more, with what a person decided about it.

Made from the first report of the prediction, which never changes, and not from the scan: that may
be gone by then.
"""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Final

from pydicom import Dataset

from core.values.review import Review, ReviewDecision
from reports.identifiers import derived_uid
from reports.reissued_report import add_decision, reference_to
from reports.review_items import evaluation_items, person_name

_WORDS: Final = {
    ReviewDecision.ACCEPT: "accepted",
    ReviewDecision.REJECT: "REJECTED",
    ReviewDecision.AMEND: "amended",
}
_IMAGING_MEASUREMENTS: Final = "126010"
#: Verifying Organization (0040,A027) may not be empty.
_NOT_NAMED: Final = "Organization not named"
_LONGEST_TEXT: Final = 64


def reviewed_report(
    first: Dataset, predecessor: Dataset, review: Review, organization: str = ""
) -> Dataset:
    """Return the report of a review, as an object of its own in a series of its own.

    The same review always gives the same bytes, UIDs included. What was rejected, or is not
    assessable, keeps no numbers: nobody must read them from the newest report.

    Parameters
    ----------
    first
        The report of the prediction.
    predecessor
        The report this one follows: the first, or that of the review before.
    organization
        Whose people review; empty: the institution that the report names.
    """
    report = deepcopy(first)
    report.SeriesInstanceUID = derived_uid("series", "review", review.review_id)
    report.SOPInstanceUID = derived_uid("instance", "review", review.review_id)
    report.file_meta.MediaStorageSOPInstanceUID = report.SOPInstanceUID
    decision = f", {_WORDS[review.draft.decision]}"
    report.SeriesDescription = add_decision(str(first.SeriesDescription), decision)
    report.PredecessorDocumentsSequence = [reference_to(predecessor)]
    moment = _local(review.reviewed_at, str(first.get("TimezoneOffsetFromUTC", "")))
    _stamp(report, moment)
    _verify(report, review, moment, organization)
    if review.withholds_numbers:
        _withhold_numbers(report)
    report.ContentSequence.append(evaluation_items(review))
    return report


def _stamp(report: Dataset, moment: datetime) -> None:
    for name in ("Content", "InstanceCreation"):
        setattr(report, f"{name}Date", moment.strftime("%Y%m%d"))
        setattr(report, f"{name}Time", moment.strftime("%H%M%S.%f"))


def _verify(report: Dataset, review: Review, moment: datetime, organization: str) -> None:
    # A rejection answers for the rejection, not for the estimate: VERIFIED beside it would mislead.
    if review.draft.decision is ReviewDecision.REJECT:
        return
    observer = Dataset()
    named = organization or str(report.get("InstitutionName", "")) or _NOT_NAMED
    observer.VerifyingOrganization = named[:_LONGEST_TEXT]
    observer.VerificationDateTime = moment.strftime("%Y%m%d%H%M%S.%f%z")
    observer.VerifyingObserverName = person_name(review.draft.reviewer)
    observer.VerifyingObserverIdentificationCodeSequence = []
    report.VerificationFlag = "VERIFIED"
    report.PreliminaryFlag = "FINAL"
    report.VerifyingObserverSequence = [observer]


def _withhold_numbers(report: Dataset) -> None:
    """Leave the group of the whole field, without its numbers, and drop those of its points."""
    for container in report.ContentSequence:
        if container.ConceptNameCodeSequence[0].CodeValue == _IMAGING_MEASUREMENTS:
            whole = container.ContentSequence[0]
            kept = [item for item in whole.ContentSequence if item.ValueType != "NUM"]
            whole.ContentSequence = kept
            container.ContentSequence = [whole]


def _local(moment: datetime, offset: str) -> datetime:
    """Return a moment in the zone that the dates of the report are in."""
    zone = datetime.strptime(offset, "%z").tzinfo if offset else UTC
    return moment.astimezone(zone)
