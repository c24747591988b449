"""Every fault a report could have is found, and no right report is refused."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache

import pytest
from pydicom import Dataset

from core.values.laterality import Laterality
from core.values.prediction import Prediction, PredictionStatus
from core.values.scan import ScanKind
from reports.checks import EMITTED, check_report
from reports.comprehensive_sr import as_comprehensive_sr
from reports.equipment import Equipment
from reports.errors import ReportWrong
from reports.register import REPORT_FORMATS
from reports.report import ReportKind
from tests.builders.prediction import Loss, build_fundus_prediction, build_prediction
from tests.builders.source import build_photograph_source, build_source

LEFT = build_prediction(laterality=Laterality.LEFT, loss=Loss.ARCUATE)
REFUSED = build_prediction(status=PredictionStatus.NOT_ASSESSABLE)

Fault = Callable[[Dataset], None]


def build(kind: ReportKind, prediction: Prediction) -> Dataset:
    report_format = next(f for f in REPORT_FORMATS if f.kind is kind)
    of_photograph = prediction.scan_kind is ScanKind.FUNDUS
    source = build_photograph_source if of_photograph else build_source
    return report_format.build(prediction, [source(prediction)], Equipment("1.2.3", "node-1"))


@cache
def built(kind: ReportKind) -> Dataset:
    """Return the report of the left eye; built once, for drawing takes its time."""
    return build(kind, LEFT)


def items(report: Dataset, code: str) -> list[Dataset]:
    """Return the content items with that name, at any depth."""
    found = []
    for item in report.get("ContentSequence", ()):
        name = item.get("ConceptNameCodeSequence")
        if name and name[0].CodeValue == code:
            found.append(item)
        found.extend(items(item, code))
    return found


def points(report: Dataset) -> list[Dataset]:
    return [group for group in items(report, "125007") if items(group, "PTX")]


def set_number(item: Dataset, value: float) -> None:
    item.MeasuredValueSequence[0].NumericValue = str(value)


def number_of(item: Dataset) -> float:
    return float(item.MeasuredValueSequence[0].NumericValue)


@pytest.mark.parametrize("kind", ReportKind)
@pytest.mark.parametrize(
    "prediction",
    [
        REFUSED,
        build_prediction(status=PredictionStatus.FAILED, laterality=Laterality.LEFT),
        build_prediction(status=PredictionStatus.NOT_ASSESSABLE, laterality=None),
    ],
    ids=["refused", "failed", "eye unknown"],
)
def test_right_report_without_a_field_passes(kind: ReportKind, prediction: Prediction) -> None:
    check_report(build(kind, prediction), prediction)


@pytest.mark.parametrize("kind", ReportKind)
def test_right_report_of_a_field_passes(kind: ReportKind) -> None:
    check_report(built(kind), LEFT)


@pytest.mark.parametrize(
    "prediction", [build_prediction(), build_fundus_prediction()], ids=["right", "photograph"]
)
def test_right_tree_of_a_field_passes(prediction: Prediction) -> None:
    check_report(build(ReportKind.STRUCTURED_REPORT, prediction), prediction)


def test_comprehensive_sr_passes() -> None:
    check_report(as_comprehensive_sr(built(ReportKind.STRUCTURED_REPORT)), LEFT)


def test_no_class_of_a_measured_field_is_ever_emitted() -> None:
    assert not any(uid.startswith("1.2.840.10008.5.1.4.1.1.80") for uid in EMITTED)


def mirrored(report: Dataset) -> None:
    for item in items(report, "PTX"):
        set_number(item, -number_of(item))


def swapped_neighbours(report: Dataset) -> None:
    first, second = (items(point, "PTS")[0] for point in points(report)[:2])
    one, other = number_of(first), number_of(second)
    set_number(first, other)
    set_number(second, one)


def one_point_less(report: Dataset) -> None:
    for parent in (report, *items(report, "126010")):
        for item in list(parent.ContentSequence):
            if items(item, "PTX") and item.ConceptNameCodeSequence[0].CodeValue == "125007":
                parent.ContentSequence.remove(item)
                return


def other_side(report: Dataset) -> None:
    for item in items(report, "272741003")[:1]:
        item.ConceptCodeSequence[0].CodeValue = "24028007"


def uncertainty_without_unit(report: Dataset) -> None:
    unit = items(report, "371886008")[0].MeasuredValueSequence[0].MeasurementUnitsCodeSequence
    unit[0].CodeValue = "1"


def swapped_bounds(report: Dataset) -> None:
    point = points(report)[9]
    upper, lower = items(point, "371886008")[0], items(point, "371885007")[0]
    one, other = number_of(upper), number_of(lower)
    set_number(upper, other)
    set_number(lower, one)


def measured_value(report: Dataset) -> None:
    item = items(report, "422859007")[0]
    item.ContentSequence = [
        child
        for child in item.ContentSequence
        if child.ConceptNameCodeSequence[0].CodeValue != "121401"
    ]


def other_deviation(report: Dataset) -> None:
    item = items(report, "PTTD")[3]
    set_number(item, number_of(item) + 1)


SR_FAULTS: dict[str, Fault] = {
    "as the patient sees": mirrored,
    "PTS is not that of the prediction": swapped_neighbours,
    "not the 52": one_point_less,
    "Laterality (272741003)": other_side,
    "unit of an uncertainty": uncertainty_without_unit,
    "371886008 is not that of the prediction": swapped_bounds,
    "not marked as estimated": measured_value,
    "PTTD is not that of the prediction": other_deviation,
}


@pytest.mark.parametrize("words", SR_FAULTS)
def test_fault_of_the_tree_is_named(words: str) -> None:
    report = deepcopy(built(ReportKind.STRUCTURED_REPORT))
    SR_FAULTS[words](report)

    with pytest.raises(ReportWrong, match="wrong, so it is not kept") as raised:
        check_report(report, LEFT)

    assert words in str(raised.value)


def set_to(keyword: str, value: object) -> Fault:
    return lambda report: setattr(report, keyword, value)


def another_scan(report: Dataset) -> None:
    for element in report.iterall():
        if element.keyword == "ReferencedSOPInstanceUID":
            element.value = "2.25.999"


SR, SC, PDF, TEXT = ReportKind
HEADER_FAULTS: list[tuple[ReportKind, Fault, str]] = [
    (SR, set_to("SOPClassUID", "1.2.840.10008.5.1.4.1.1.80.1"), "(0008,0016)"),
    (SR, set_to("Modality", "OPV"), "(0008,0060)"),
    (SC, set_to("StudyInstanceUID", "2.25.5"), "(0020,000D)"),
    (PDF, set_to("SOPInstanceUID", "2.25.5"), "file meta"),
    (TEXT, another_scan, "does not name the scan"),
    (SC, another_scan, "does not name the scan"),
    (SR, set_to("SeriesDescription", "AI estimated VF 24-2 L"), "(0008,103E)"),
    (SC, set_to("SeriesDescription", "AI estimated VF 24-2 R - not measured"), "(0008,103E)"),
    (SC, set_to("Laterality", "R"), "Laterality is not the eye"),
    (PDF, set_to("ImageLaterality", "R"), "ImageLaterality is not the eye"),
    (PDF, lambda report: delattr(report, "ImageLaterality"), "no attribute says which eye"),
    (SC, set_to("ImageType", ["ORIGINAL", "PRIMARY"]), "(0008,0008)"),
    (SC, set_to("DerivationDescription", "Drawn."), "(0008,2111)"),
    (SC, set_to("BurnedInAnnotation", "NO"), "(0028,0301)"),
    (PDF, set_to("BurnedInAnnotation", "NO"), "(0028,0301)"),
    (PDF, set_to("EncapsulatedDocument", b"<html>"), "no PDF"),
    (PDF, set_to("EncapsulatedDocumentLength", 100), "(0042,0015)"),
    (PDF, set_to("DocumentTitle", "Visual field"), "(0042,0010)"),
    (TEXT, other_side, "Laterality (272741003)"),
]


@pytest.mark.parametrize(("kind", "fault", "words"), HEADER_FAULTS)
def test_fault_of_the_header_is_named(kind: ReportKind, fault: Fault, words: str) -> None:
    report = deepcopy(built(kind))
    fault(report)

    with pytest.raises(ReportWrong) as raised:
        check_report(report, LEFT)

    assert words in str(raised.value)


def test_values_of_a_result_that_has_none_are_found() -> None:
    prediction = build_prediction(
        laterality=Laterality.LEFT, status=PredictionStatus.NOT_ASSESSABLE
    )
    report = deepcopy(built(SR))
    report.SeriesDescription = "AI estimated VF 24-2 L - no estimate, not measured"

    with pytest.raises(ReportWrong, match="it has values, the prediction has none"):
        check_report(report, prediction)
