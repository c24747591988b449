from io import BytesIO

import pytest
from pydicom import Dataset, dcmread, dcmwrite

from core.values.laterality import Laterality
from core.values.prediction import ESTIMATE_NOTICE, Prediction, PredictionStatus
from core.values.report_context import NO_CONTEXT, ReportContext
from reports.equipment import Equipment
from reports.text_report import TextReport
from tests.builders.prediction import Loss, build_prediction
from tests.builders.report_context import build_kept_report
from tests.builders.source import build_source

LEFT = build_prediction(laterality=Laterality.LEFT, loss=Loss.ARCUATE)


def build(prediction: Prediction, context: ReportContext = NO_CONTEXT) -> Dataset:
    report = TextReport().build(
        prediction, [build_source(prediction)], Equipment("1.2.3", "node-1"), context
    )
    buffer = BytesIO()
    dcmwrite(buffer, report, enforce_file_format=True)
    return dcmread(BytesIO(buffer.getvalue()))


def texts_of(report: Dataset) -> list[str]:
    return [item.TextValue for item in report.ContentSequence if item.ValueType == "TEXT"]


def test_text_has_name_value_and_unit_in_every_sentence() -> None:
    report = build(LEFT)

    texts = texts_of(report)
    assert "LEFT EYE (OS): 24-2 visual field ESTIMATED from OCT, not measured" in texts
    assert "MD -6.9 dB, estimated" in texts
    assert "Mean sensitivity 21.9 dB, estimated" in texts
    assert ESTIMATE_NOTICE in texts
    assert {item.ValueType for item in report.ContentSequence} == {"TEXT", "CODE", "UIDREF"}
    assert report.ConceptNameCodeSequence[0].CodeValue == "EVFREP"


def test_rows_stand_as_the_patient_sees_them() -> None:
    rows = [text for text in texts_of(build(LEFT)) if text.startswith("y ")]

    assert [row.split(":")[0] for row in rows] == [
        "y +21", "y +15", "y +9", "y +3", "y -3", "y -9", "y -15", "y -21"
    ]  # fmt: skip
    # The nasal step of a left eye is on the right, and the field is lost above it.
    assert rows[3].endswith("6 at x +21, 5 at x +27 (dB, degree, as the patient sees)")
    assert sum(row.count(" at x ") for row in rows) == 52


@pytest.mark.parametrize("laterality", [Laterality.RIGHT, None])
def test_result_without_an_estimate_says_why(laterality: Laterality | None) -> None:
    report = build(build_prediction(status=PredictionStatus.NOT_ASSESSABLE, laterality=laterality))

    texts = texts_of(report)
    assert "The signal is 9 dB; below 15 dB no field is estimated." in texts
    assert texts[4].endswith("there is no estimated visual field; nothing was measured")
    assert not any("MD" in text for text in texts)


def test_mean_deviation_of_nothing_has_no_sign() -> None:
    assert "MD 0.0 dB, estimated" in texts_of(build(build_prediction()))


def test_text_names_the_one_it_replaces() -> None:
    kept = build_kept_report("text")

    report = build(LEFT, ReportContext(predecessors=(build_kept_report("sr"), kept)))

    (study,) = report.PredecessorDocumentsSequence
    (instance,) = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert instance.ReferencedSOPInstanceUID == kept.sop_instance_uid
