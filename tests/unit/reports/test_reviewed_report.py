from copy import deepcopy
from io import BytesIO
from typing import Any

import pytest
from highdicom.sr import srread
from pydicom import Dataset, dcmread

from core.values.prediction import PredictionStatus
from core.values.review import Amendment, ReviewDecision
from reports.equipment import Equipment
from reports.reissued_report import as_successor
from reports.reviewed_report import reviewed_report
from reports.structured_report import StructuredReport
from tests.builders.prediction import build_prediction
from tests.builders.review import REVIEWED_AT, build_review
from tests.builders.source import build_source

_AMENDED = Amendment(mean_deviation_db=-4.2, assessable=True)


def first_report(source: dict[str, Any] | None = None, **changes: Any) -> Dataset:
    prediction = build_prediction(**changes)
    header = build_source(prediction, **(source or {}))
    return reread(StructuredReport().build(prediction, [header], Equipment("1.2.3", "node-1")))


def reread(report: Dataset) -> Dataset:
    """Return a report as it is read back from the archive."""
    buffer = BytesIO()
    report.save_as(buffer, enforce_file_format=True)
    return dcmread(BytesIO(buffer.getvalue()))


def evaluations(report: Dataset) -> list[tuple[str, str]]:
    """Return name and value of each item of the review."""
    container = report.ContentSequence[-1]
    assert container.ConceptNameCodeSequence[0].CodeMeaning == "Qualitative Evaluations"
    found = []
    for item in container.ContentSequence:
        name = item.ConceptNameCodeSequence[0].CodeMeaning
        coded = item.get("ConceptCodeSequence")
        value = coded[0].CodeValue if coded else item.get("TextValue") or item.PersonName
        found.append((name, str(value)))
    return found


def numbers(report: Dataset) -> int:
    """Return how many numbers stand among the measurements of the report."""
    (measurements,) = (
        item
        for item in report.ContentSequence
        if item.ConceptNameCodeSequence[0].CodeMeaning == "Imaging Measurements"
    )
    return _count(measurements)


def _count(item: Dataset) -> int:
    below = sum(_count(one) for one in item.get("ContentSequence", ()))
    return below + (item.ValueType == "NUM")


def test_accepted_report_is_verified_by_name_and_keeps_every_number() -> None:
    first = first_report({"InstitutionName": "Eye Clinic"})
    first.InstitutionName = "Eye Clinic"

    report = reread(reviewed_report(first, first, build_review(comment="Agrees with the disc.")))

    assert (report.VerificationFlag, report.PreliminaryFlag) == ("VERIFIED", "FINAL")
    (observer,) = report.VerifyingObserverSequence
    assert observer.VerifyingObserverName == "dr-ito^"
    assert observer.VerifyingOrganization == "Eye Clinic"
    assert observer.VerificationDateTime == "20260305081530.000000+0000"
    assert (report.ContentDate, report.ContentTime) == ("20260305", "081530.000000")
    assert report.SeriesDescription == "AI estimated VF 24-2 R - not measured, accepted"
    assert numbers(report) == numbers(first)
    assert evaluations(report) == [
        ("Observer Type", "121006"),
        ("Person Observer Name", "dr-ito^"),
        ("Decision of the review of an estimated field", "REVACC"),
        ("Comment", "Agrees with the disc."),
    ]


def test_reviewed_report_is_another_object_of_the_same_study_that_names_the_former() -> None:
    first = first_report()

    second = reviewed_report(first, first, build_review())
    third = reviewed_report(first, second, build_review(ReviewDecision.REJECT, 2, comment="No"))

    for report, former in ((second, first), (third, second)):
        (study,) = report.PredecessorDocumentsSequence
        (series,) = study.ReferencedSeriesSequence
        (instance,) = series.ReferencedSOPSequence
        assert study.StudyInstanceUID == report.StudyInstanceUID == first.StudyInstanceUID
        assert series.SeriesInstanceUID == former.SeriesInstanceUID != report.SeriesInstanceUID
        assert instance.ReferencedSOPInstanceUID == former.SOPInstanceUID
        assert instance.ReferencedSOPClassUID == former.SOPClassUID
    uids = {report.SOPInstanceUID for report in (first, second, third)}
    assert len(uids) == 3
    assert third.file_meta.MediaStorageSOPInstanceUID == third.SOPInstanceUID
    assert (first.PatientID, first.PatientName) == (third.PatientID, third.PatientName)


def test_same_review_gives_the_same_object() -> None:
    first = first_report()

    built = [reviewed_report(first, first, build_review()) for _ in range(2)]

    assert built[0] == built[1]
    assert "VerifyingObserverSequence" not in first


def test_rejected_report_is_not_verified_says_so_and_has_no_numbers_left() -> None:
    first = first_report()
    review = build_review(ReviewDecision.REJECT, comment="Disc drusen.")

    report = reread(reviewed_report(first, first, review))

    assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    assert "VerifyingObserverSequence" not in report
    assert report.SeriesDescription == "AI estimated VF 24-2 R - not measured, REJECTED"
    assert ("Decision of the review of an estimated field", "REVREJ") in evaluations(report)
    assert ("Comment", "Disc drusen.") in evaluations(report)
    assert (numbers(first), numbers(report)) == (366, 0)


def test_amendment_is_in_words_beside_the_estimate() -> None:
    first = first_report()
    review = build_review(ReviewDecision.AMEND, amendment=_AMENDED)

    report = reread(reviewed_report(first, first, review, "Hospital"))

    assert report.VerifyingObserverSequence[0].VerifyingOrganization == "Hospital"
    assert numbers(report) == numbers(first)
    assert evaluations(report)[3:] == [
        ("Assessability according to the review", "Assessable"),
        ("Index according to the review", "Mean deviation -4.20 dB"),
    ]


def test_estimate_of_a_scan_that_a_person_finds_not_assessable_has_no_numbers_left() -> None:
    review = build_review(ReviewDecision.AMEND, amendment=Amendment(assessable=False))
    first = first_report()

    assert numbers(reviewed_report(first, first, review)) == 0


def test_result_without_a_field_can_be_accepted() -> None:
    first = first_report(status=PredictionStatus.NOT_ASSESSABLE)

    report = reread(reviewed_report(first, first, build_review()))

    assert report.VerificationFlag == "VERIFIED"
    assert report.SeriesDescription.endswith("no estimate, not measured, accepted")


def test_times_are_in_the_zone_of_the_report() -> None:
    first = first_report({"TimezoneOffsetFromUTC": "+0930"})

    report = reviewed_report(first, first, build_review())

    assert (report.ContentDate, report.ContentTime) == ("20260305", "174530.000000")
    assert report.VerifyingObserverSequence[0].VerificationDateTime.endswith("174530.000000+0930")


@pytest.mark.parametrize(
    ("reviewer", "expected"),
    [("a\\b=c", "a b c^"), ("Ünal^Zoë", "Ünal^Zoë"), ("x" * 200, "x" * 63 + "^")],
)
def test_any_name_of_a_key_gives_a_readable_report(reviewer: str, expected: str, tmp_path) -> None:
    first = first_report()
    path = tmp_path / "report.dcm"
    reviewed_report(first, first, build_review(reviewer=reviewer)).save_as(
        path, enforce_file_format=True
    )

    name = str(dcmread(path).VerifyingObserverSequence[0].VerifyingObserverName)

    assert name == expected


def test_highdicom_reads_the_points_back(tmp_path) -> None:
    first = first_report()
    path = tmp_path / "report.dcm"
    reviewed_report(first, first, build_review()).save_as(path, enforce_file_format=True)

    assert len(srread(path).content.get_image_measurement_groups()) == 53


@pytest.mark.parametrize("is_reissued_first", [True, False])
@pytest.mark.parametrize("status", [PredictionStatus.FINAL, PredictionStatus.NOT_ASSESSABLE])
def test_decision_stands_whole_beside_a_corrected_identity(
    status: PredictionStatus, is_reissued_first: bool
) -> None:
    first = first_report(status=status)
    if is_reissued_first:
        first = as_successor(first, deepcopy(first), REVIEWED_AT)
    review = build_review(ReviewDecision.REJECT, comment="Drusen.")

    report = as_successor(reviewed_report(first, first, review), first, REVIEWED_AT)

    assert len(report.SeriesDescription) <= 64
    assert "not measured" in report.SeriesDescription
    assert ", REJECTED" in report.SeriesDescription
    expected = ", ID corrected" if status is PredictionStatus.FINAL else ", REJECTED"
    assert expected in report.SeriesDescription
