from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from core.values.identity import PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import (
    ESTIMATE_NOTICE,
    FUNDUS_NOTICE,
    Prediction,
    PredictionStatus,
)
from core.values.profile import PROFILE_SAMPLES
from core.values.reason import Reason, ReasonCode
from core.values.scan import ScanKind
from reports import field_plot
from reports.canvas import drawable
from reports.field_plot import (
    draw_field_png,
    draw_field_rgb,
    draw_field_svg,
    field_svg,
    profile_svg,
)
from reports.page_words import display_name
from reports.profile_panel import draw_profile
from tests.builders.prediction import (
    POINTS_DEGREE,
    Loss,
    build_fundus_prediction,
    build_prediction,
)

Drawer = Callable[[Prediction], bytes]

ARCUATE_LEFT = build_prediction(laterality=Laterality.LEFT, loss=Loss.ARCUATE)
NOT_ASSESSABLE = build_prediction(status=PredictionStatus.NOT_ASSESSABLE)
FAILED = build_prediction(status=PredictionStatus.FAILED)


def page_of(prediction: Prediction) -> Figure:
    figure = Figure(figsize=(16, 12))
    field_plot._page(prediction)(figure)
    return figure


def words_of(prediction: Prediction) -> list[str]:
    return [" ".join(text.get_text().split()) for text in page_of(prediction).texts]


def numbers_of(prediction: Prediction, panel: int) -> dict[tuple[float, float], int]:
    texts = page_of(prediction).axes[panel].texts
    shown = [text for text in texts if text.get_text() != "30°"]
    return {text.get_position(): int(text.get_text().replace("−", "-")) for text in shown}


@pytest.mark.parametrize(("laterality", "sign"), [(Laterality.RIGHT, 1), (Laterality.LEFT, -1)])
def test_numbers_stand_where_the_patient_sees_them(laterality: Laterality, sign: int) -> None:
    prediction = build_prediction(laterality=laterality, loss=Loss.ARCUATE)
    estimate, deviations = prediction.estimate, prediction.deviations

    places = [(sign * x, y) for x, y in POINTS_DEGREE]

    for panel, values in ((0, estimate.sensitivities_db), (2, deviations.total_deviation_db)):
        expected = {place: round(float(v)) for place, v in zip(places, values, strict=True)}
        assert numbers_of(prediction, panel) == expected


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        (ARCUATE_LEFT, ["ESTIMATED from OCT, not measured", "LEFT EYE (OS)", "−6.9 dB", "21.9 dB"]),
        (build_prediction(), ["ESTIMATED from OCT, not measured", "RIGHT EYE (OD)", "0.0 dB"]),
        (
            NOT_ASSESSABLE,
            [
                "NO ESTIMATE",
                "This scan could not be assessed: there is no estimated visual field",
                "• The signal is 9 dB; below 15 dB no field is estimated.",
            ],
        ),
        (FAILED, ["NO ESTIMATE", "Processing failed: there is no estimated visual field"]),
        (
            build_prediction(laterality=None, status=PredictionStatus.NOT_ASSESSABLE),
            ["NO ESTIMATE", "EYE UNKNOWN"],
        ),
    ],
)
def test_page_says_in_words(prediction: Prediction, expected: list[str]) -> None:
    words = words_of(prediction)

    assert [word for word in expected if word not in words] == []
    assert words.count(ESTIMATE_NOTICE) == 1


@pytest.mark.parametrize("prediction", [NOT_ASSESSABLE, FAILED])
def test_page_without_an_estimate_has_no_panel(prediction: Prediction) -> None:
    assert page_of(prediction).axes == []


def test_page_names_patient_scan_and_model() -> None:
    words = words_of(ARCUATE_LEFT)

    assert words[1:4] == [
        "Sample, Eye",
        "ID P-0001 (Clinic)",
        "born 1958-03-01 sex F age at scan 52.9 years",
    ]
    assert words[5:8] == [
        "OCT circle of 2011-01-15 10:15 UTC",
        "Maker Scanner serial SN-1",
        "Model retinervenet 1.0.0, weights 0123456789ab · estimated 2026-03-04 09:30 UTC · "
        "scan quality 93%",
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Sample^Eye", "Sample, Eye"),
        ("Doe^Jane^Q^Dr", "Doe, Jane Q Dr"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou (山田 太郎)"),
        ("=王^小东", "王 小东"),
        ("", "name unknown"),
        ("^", "name unknown"),
        ("A" * 64, "A" * 43 + "…"),
    ],
)
def test_display_name_is_for_people(name: str, expected: str) -> None:
    assert display_name(name) == expected


def test_drawable_puts_a_box_for_what_no_font_has_and_drops_controls() -> None:
    # U+10FFFF is no letter and never will be one.
    assert drawable("A\U0010ffffé") == "A□é"
    assert drawable("a\nb\x1bc") == "abc"


@pytest.mark.parametrize(
    "name",
    ["$x_1$<script>alert(1)</script>", "$\\frac{1}{", "\ue0ff^\U000e0041", "山田^สมชาย", "&^<"],
)
def test_hostile_and_rare_names_are_drawn_as_they_are(name: str) -> None:
    prediction = build_prediction(
        patient=PatientIdentity(name, name, name), status=PredictionStatus.NOT_ASSESSABLE
    )

    svg = draw_field_svg(prediction)

    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314
    assert svg.count(b"<script") == 0
    assert Image.open(BytesIO(draw_field_png(prediction))).size == (1600, 1200)


@pytest.mark.parametrize("prediction", [ARCUATE_LEFT, NOT_ASSESSABLE])
@pytest.mark.parametrize("draw", [draw_field_png, draw_field_svg, field_svg, profile_svg])
def test_picture_drawn_again_has_the_same_bytes(draw: Drawer, prediction: Prediction) -> None:
    assert draw(prediction) == draw(prediction)


def test_png_and_pixels_are_the_same_picture() -> None:
    png = np.asarray(Image.open(BytesIO(draw_field_png(ARCUATE_LEFT))).convert("RGB"))

    np.testing.assert_array_equal(png, draw_field_rgb(ARCUATE_LEFT))


@pytest.mark.parametrize("draw", [field_svg, profile_svg])
def test_panels_for_the_page_are_svg(draw: Drawer) -> None:
    for prediction in (ARCUATE_LEFT, FAILED, build_prediction(age_years=None)):
        root = ElementTree.fromstring(draw(prediction))  # noqa: S314 - our own output
        assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_panels_for_the_page_carry_no_patient() -> None:
    others = {"patient": PatientIdentity("P-9", None, "Other^Name")}

    for draw in (field_svg, profile_svg):
        assert draw(build_prediction(**others)) == draw(build_prediction())


def test_many_reasons_are_cut_to_what_fits() -> None:
    reason = Reason(ReasonCode.SIGNAL_TOO_LOW, "word " * 100)

    words = page_of(
        build_prediction(status=PredictionStatus.NOT_ASSESSABLE, reasons=(reason,) * 3)
    ).texts[-1]

    assert len(words.get_text().splitlines()) == 8
    assert words.get_text().splitlines()[-1] == "…"


def test_time_of_the_scan_names_its_zone() -> None:
    tokyo = timezone(timedelta(hours=9), "JST")
    acquired = datetime(2011, 1, 15, 8, 30, tzinfo=tokyo)

    words = words_of(build_prediction(acquired_at=acquired.astimezone(UTC)))

    assert [text for text in words if text.startswith("OCT circle of")] == [
        "OCT circle of 2011-01-14 23:30 UTC"
    ]


def test_profile_without_a_single_value_is_said_to_be_none() -> None:
    nothing = np.full(PROFILE_SAMPLES, np.nan, np.float32)
    axes = Figure().add_axes((0, 0, 1, 1))

    draw_profile(axes, build_prediction(thickness_um=nothing))

    assert [text.get_text() for text in axes.texts] == ["no profile could be read from this scan"]
    assert [label for label in axes.get_legend_handles_labels()[1] if "nan" in label] == []


def test_result_of_a_photograph_shows_it_and_says_that_it_is_weaker_than_oct() -> None:
    prediction = build_fundus_prediction()
    words = words_of(prediction)
    pictures = [image for axes in page_of(prediction).axes for image in axes.get_images()]

    assert "ESTIMATED from a fundus photograph, not measured" in words
    assert sum(FUNDUS_NOTICE in word for word in words) == 2
    assert any(word.startswith("Fundus photograph of 2011-01-15") for word in words)
    assert any("no Patient Orientation" in word for word in words)
    assert any(np.array_equal(image.get_array(), prediction.picture) for image in pictures)
    assert not any("OCT circle" in word for word in words)


def test_grey_photograph_and_one_without_picture_are_drawn() -> None:
    grey = build_fundus_prediction().picture[:, :, 0]

    drawn = draw_field_rgb(build_fundus_prediction(picture=grey))
    without = draw_field_rgb(build_fundus_prediction(picture=None))

    assert drawn.shape == without.shape
    assert not np.array_equal(drawn, without)


def test_result_of_oct_speaks_of_oct_and_of_no_photograph() -> None:
    words = words_of(build_prediction())

    assert "ESTIMATED from OCT, not measured" in words
    assert not any("hotograph" in word for word in words)


@pytest.mark.parametrize("scan_kind", ScanKind)
def test_every_kind_of_scan_has_a_page(scan_kind: ScanKind) -> None:
    """A thickness map has a profile and no layers; a photograph has neither."""
    changes = {"scan_kind": scan_kind, "layers": None}

    assert draw_field_rgb(build_prediction(**changes)).shape == (1200, 1600, 3)


def footer_of(prediction: Prediction) -> str:
    return next(word for word in words_of(prediction) if word.startswith("Model "))


def test_scan_that_was_not_read_has_no_quality_and_no_estimate_in_the_footer() -> None:
    unread = build_prediction(
        status=PredictionStatus.NOT_ASSESSABLE,
        scan_kind=None,
        quality_score=0.0,
        thickness_um=None,
        layers=None,
    )

    assert "quality" not in footer_of(unread)
    assert "estimated" not in footer_of(unread)
    assert "scan quality 93%" in footer_of(build_prediction())


def test_map_is_named_with_the_share_of_the_circle_that_it_covers() -> None:
    words = words_of(build_prediction(scan_kind=ScanKind.THICKNESS_MAP, layers=None))

    assert "OCT thickness map of 2011-01-15 10:15 UTC" in words
    assert any("circle with values 93%" in word for word in words)


@pytest.mark.parametrize(("age_years", "extrapolated"), [(30.0, True), (60.0, False)])
def test_page_says_where_the_norm_is_extrapolated(age_years: float, extrapolated: bool) -> None:
    words = words_of(build_prediction(age_years=age_years))

    assert any("EXTRAPOLATED to this age" in word for word in words) is extrapolated
