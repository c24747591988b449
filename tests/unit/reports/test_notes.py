"""What was noted of a result is told wherever its numbers are."""

import json

import pytest
from matplotlib.figure import Figure
from pydicom import Dataset

from core.values.both_eyes import BothEyes
from core.values.prediction import Prediction, PredictionStatus
from reports.both_eyes_page import draw_both_eyes
from reports.both_eyes_sr import BothEyesSr
from reports.equipment import Equipment
from reports.fhir.bundle import build_bundle
from reports.field_plot import HEIGHT_PX, WIDTH_PX, _page
from reports.report import ReportFormat
from reports.sheet import HEIGHT_INCHES, WIDTH_INCHES, Sheet
from reports.structured_report import StructuredReport
from reports.text_report import TextReport
from tests.builders.both_eyes import build_both_eyes, build_left, sources_of, withholding
from tests.builders.prediction import build_fundus_prediction, build_prediction
from tests.builders.source import build_source

NOTE = "It was compared with the norm of 40 years instead of 60."
EQUIPMENT = Equipment("1.2.3", "node-1")
CASES = {
    "estimate": build_prediction(notes=(NOTE,)),
    "no estimate": build_prediction(notes=(NOTE,), status=PredictionStatus.NOT_ASSESSABLE),
    "photograph": build_fundus_prediction(notes=(NOTE,)),
}
each_case = pytest.mark.parametrize("prediction", CASES.values(), ids=CASES)


def sentences_of(report: Dataset) -> list[str]:
    return [str(item.value) for item in report.iterall() if item.keyword == "TextValue"]


def words_of(figure: Figure) -> str:
    return " ".join(" ".join(text.get_text() for text in figure.texts).split())


@each_case
@pytest.mark.parametrize("report_format", [StructuredReport(), TextReport()])
def test_tree_tells_it(prediction: Prediction, report_format: ReportFormat) -> None:
    report = report_format.build(prediction, [build_source(prediction)], EQUIPMENT)

    assert sentences_of(report).count(NOTE) == 1


@each_case
def test_picture_tells_it(prediction: Prediction) -> None:
    figure = Figure(figsize=(WIDTH_PX / 100, HEIGHT_PX / 100))
    _page(prediction)(figure)

    assert NOTE in words_of(figure)


@each_case
def test_each_observation_tells_it(prediction: Prediction) -> None:
    bundle = build_bundle(prediction, "1.2.840.10008.5.1.4.1.1.77.1.5.4", EQUIPMENT, "/page.pdf")

    resources = [entry["resource"] for entry in bundle["entry"]]
    found = [one for one in resources if one["resourceType"] == "Observation"]
    assert found
    assert all({"text": NOTE} in one["note"] for one in found), json.dumps(found, indent=1)


def noted() -> BothEyes:
    return build_both_eyes(left=build_left(notes=(NOTE,)))


def page_of(both: BothEyes) -> str:
    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES))
    draw_both_eyes(Sheet(figure), both)
    return words_of(figure)


def test_reports_of_both_eyes_tell_of_which_it_is() -> None:
    report = BothEyesSr().build_both(noted(), sources_of(noted()), EQUIPMENT)

    assert sentences_of(report).count(NOTE) == 1
    assert f"LEFT EYE (OS): {NOTE}" in page_of(noted())


def test_nothing_is_noted_on_the_page_of_numbers_that_are_not_there() -> None:
    assert NOTE not in page_of(withholding(noted(), left=True))


def test_many_notes_leave_the_page_its_footer() -> None:
    both = build_both_eyes(left=build_left(notes=(NOTE,) * 20))

    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES))
    draw_both_eyes(Sheet(figure), both)

    assert "…" in words_of(figure)
    assert min(text.get_window_extent().y0 for text in figure.texts) > 0
