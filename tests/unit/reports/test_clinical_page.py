from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from matplotlib.figure import Figure

from core.values.identity import PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import ESTIMATE_NOTICE, Prediction, PredictionStatus
from core.values.reason import Reason, ReasonCode
from core.values.report_context import NO_CONTEXT, ReportContext
from core.values.scan import Device, ScanKind
from reports.clinical_page import draw_page
from reports.sheet import HEIGHT_INCHES, WIDTH_INCHES, Sheet
from tests.builders.prediction import (
    POINTS_DEGREE,
    Loss,
    build_fundus_prediction,
    build_prediction,
)
from tests.builders.report_context import build_earlier, older_version

LEFT = build_prediction(laterality=Laterality.LEFT, loss=Loss.ARCUATE)
RIGHT = build_prediction()
NOT_ASSESSABLE = build_prediction(status=PredictionStatus.NOT_ASSESSABLE)
B_SCAN = np.full((496, 768), 80, np.uint8)

Place = tuple[float, float]


def figure_of(prediction: Prediction, context: ReportContext = NO_CONTEXT) -> Figure:
    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES))
    draw_page(Sheet(figure), prediction, context)
    return figure


def words_of(prediction: Prediction, context: ReportContext = NO_CONTEXT) -> str:
    texts = figure_of(prediction, context).texts
    return " | ".join(" ".join(text.get_text().split()) for text in texts)


def numbers_of(figure: Figure, panel: int) -> dict[Place, int]:
    shown = [text for text in figure.axes[panel].texts if text.get_text() != "30°"]
    return {text.get_position(): int(text.get_text().replace("−", "-")) for text in shown}


def expected(values: np.ndarray, laterality: Laterality) -> dict[Place, int]:
    sign = 1 if laterality is Laterality.RIGHT else -1
    places = [(sign * x, y) for x, y in POINTS_DEGREE]
    return {place: round(float(v)) for place, v in zip(places, values, strict=True)}


@pytest.mark.parametrize("prediction", [LEFT, RIGHT])
def test_field_stands_as_the_patient_sees_it(prediction: Prediction) -> None:
    figure = figure_of(prediction)

    eye, deviations = prediction.laterality, prediction.deviations
    assert numbers_of(figure, 0) == expected(prediction.estimate.sensitivities_db, eye)
    assert numbers_of(figure, 2) == expected(deviations.total_deviation_db, eye)
    assert numbers_of(figure, 3) == expected(deviations.pattern_deviation_db, eye)


def test_other_eye_stands_beside_under_its_own_name() -> None:
    context = ReportContext(other_eye=RIGHT)

    figure, words = figure_of(LEFT, context), words_of(LEFT, context)

    assert "LEFT EYE (OS)" in words
    assert "Other eye of this study: RIGHT EYE (OD), MD 0.0 dB" in words
    expected_right = expected(RIGHT.estimate.sensitivities_db, Laterality.RIGHT)
    assert numbers_of(figure, 6) == expected_right


def test_other_eye_without_an_estimate_says_why() -> None:
    words = words_of(LEFT, ReportContext(other_eye=NOT_ASSESSABLE))

    assert "Other eye of this study: RIGHT EYE (OD): no estimate" in words
    assert "• The signal is 9 dB; below 15 dB no field is estimated." in words


def test_page_alone_says_that_there_is_nothing_beside_it() -> None:
    words = words_of(RIGHT)

    assert "No result of the other eye that may be used yet." in words
    assert "No earlier estimate by retinervenet is | recorded for this eye." in words


@pytest.mark.parametrize(
    ("prediction", "banner"),
    [
        (LEFT, "ESTIMATED from OCT, not measured"),
        (build_fundus_prediction(), "ESTIMATED from a fundus photograph, not measured"),
        (NOT_ASSESSABLE, "NO ESTIMATE · nothing was measured"),
    ],
)
def test_page_begins_with_what_it_is_and_ends_with_what_it_is_not(
    prediction: Prediction, banner: str
) -> None:
    words = words_of(prediction).split(" | ")

    assert words[0] == banner
    assert words[-1].endswith(ESTIMATE_NOTICE)
    assert words[-2].startswith(f"Model {prediction.model.name} {prediction.model.version}")


def test_page_without_an_estimate_has_its_reasons_and_no_field() -> None:
    figure, words = figure_of(NOT_ASSESSABLE), words_of(NOT_ASSESSABLE)

    assert "This scan could not be assessed: there is no estimated visual field" in words
    assert "• The signal is 9 dB; below 15 dB no field is estimated." in words
    assert "MD" not in words.split(" | ")
    assert len(figure.axes) == 2  # what was found of the nerve fibre layer, and the scan


def test_layers_lie_on_the_scan() -> None:
    prediction = replace(RIGHT, picture=B_SCAN)

    scan = figure_of(prediction).axes[5]

    ilm, rnfl = (line.get_ydata() for line in scan.lines)
    np.testing.assert_array_equal(ilm, prediction.layers.ilm_row)
    np.testing.assert_array_equal(rnfl, prediction.layers.rnfl_row)
    np.testing.assert_allclose(scan.lines[0].get_xdata(), np.arange(768))
    assert scan.get_ylim() == (495.5, -0.5)


def test_layers_of_another_picture_are_not_drawn() -> None:
    prediction = replace(RIGHT, picture=B_SCAN[:, :500])

    figure, words = figure_of(prediction), words_of(prediction)

    assert list(figure.axes[5].lines) == []
    assert "Scan; no borders of it are kept" in words


@pytest.mark.parametrize("kind", [ScanKind.THICKNESS_MAP, ScanKind.FUNDUS])
def test_picture_of_another_kind_keeps_its_shape(kind: ScanKind) -> None:
    prediction = replace(RIGHT, picture=B_SCAN, layers=None, scan_kind=kind)

    scan = next(axes for axes in figure_of(prediction).axes if axes.images[:1] and not axes.texts)

    assert scan.get_aspect() == 1.0
    assert scan.get_ylim() == (495.5, -0.5)


@pytest.mark.parametrize("year", [1, 9999])
def test_scan_of_an_impossible_year_is_no_point_of_a_trend(year: int) -> None:
    """One such scan would keep every later one of its eye from being reported."""
    odd = datetime(year, 6, 1, tzinfo=UTC)
    wrong = replace(build_earlier(LEFT, 600, -3.0), acquired_at=odd)
    context = ReportContext(earlier=(wrong, build_earlier(LEFT, 300, -4.0)))

    for prediction, points in ((LEFT, 2), (replace(LEFT, acquired_at=odd), 1)):
        figure = figure_of(prediction, context)
        figure.draw_without_rendering()
        trend = next(axes for axes in figure.axes if axes.get_ylabel() == "MD, dB")
        assert len(trend.collections[0].get_offsets()) == points


def test_trend_has_a_point_a_visit_and_marks_what_changed() -> None:
    earlier = (
        build_earlier(LEFT, 900, -2.0, device=Device("Old", "Scanner")),
        build_earlier(LEFT, 600, -3.0, model=older_version(LEFT, "0.9.0")),
        build_earlier(LEFT, 300, -4.0, scan_kind=ScanKind.VOLUME),
    )
    figure = figure_of(LEFT, ReportContext(earlier=earlier))

    trend = next(axes for axes in figure.axes if axes.get_ylabel() == "MD, dB")
    heights = np.asarray(trend.collections[0].get_offsets())[:, 1]
    written = [text.get_text().strip() for text in trend.texts]
    mean_deviation_db = LEFT.deviations.mean_deviation_db
    np.testing.assert_allclose(heights, [-2.0, -3.0, -4.0, mean_deviation_db])
    assert written == ["model 0.9.0, Maker Scanner", "model 1.0.0, OCT volume", "OCT circle"]


def test_more_reasons_than_fit_end_with_an_ellipsis() -> None:
    reasons = tuple(Reason(ReasonCode.SIGNAL_TOO_LOW, f"Reason {n}.") for n in range(12))

    words = words_of(replace(NOT_ASSESSABLE, reasons=reasons))

    assert "• Reason 7. …" in words
    assert "Reason 8" not in words


def test_long_names_and_identifiers_are_written_smaller_and_never_cut() -> None:
    patient = PatientIdentity("1" * 64, "A hospital with a name", "Wolfeschlegel^Hubert Blaine" * 3)

    texts = figure_of(replace(RIGHT, patient=patient)).texts

    name, identity = texts[1], texts[2]
    assert identity.get_text() == f"ID {'1' * 64}  (A hospital with a name)"
    assert not name.get_text().endswith("…")
    for text in (name, identity):
        assert text.get_window_extent().width / 100 < WIDTH_INCHES / 2
    eye = next(text for text in texts if text.get_text() == "RIGHT EYE (OD)")
    assert name.get_window_extent().x1 < eye.get_window_extent().x0


def test_many_changes_are_marked_but_not_written_over_each_other() -> None:
    earlier = tuple(
        build_earlier(LEFT, 100 * n, -2.0, device=Device("Maker", f"Model {n}"))
        for n in range(6, 0, -1)
    )

    figure = figure_of(LEFT, ReportContext(earlier=earlier))

    trend = next(axes for axes in figure.axes if axes.get_ylabel() == "MD, dB")
    assert list(trend.texts) == []
    assert sum(line.get_linestyle() == "--" for line in trend.lines) == 6
