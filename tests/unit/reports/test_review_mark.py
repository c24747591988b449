from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from core.values.report_context import NO_CONTEXT
from core.values.review import Amendment, Review, ReviewDecision
from reports.clinical_page import draw_page_pdf
from reports.field_plot import draw_field_png, draw_field_svg
from reports.review_mark import draw_mark
from tests.builders.prediction import build_prediction
from tests.builders.review import build_review

REJECTED = build_review(ReviewDecision.REJECT, comment="The circle lies beside the disc.")
NOT_ASSESSABLE = build_review(ReviewDecision.AMEND, amendment=Amendment(assessable=False))
#: `palette.REFUSED` and `palette.REFUSED_INK`.
BAND, INK = (0xFD, 0xEC, 0xEA), (0x9B, 0x1C, 0x1C)


def words_of(review: Review, size: tuple[float, float] = (16, 12)) -> list[str]:
    figure = Figure(figsize=size)
    draw_mark(figure, review)
    return [text.get_text() for text in figure.texts]


@pytest.mark.parametrize(
    ("review", "verdict", "details"),
    [
        (
            REJECTED,
            "REJECTED, NOT TO BE USED",
            "by dr-ito on 2026-03-05 08:15 UTC: The circle lies beside the disc.",
        ),
        (
            NOT_ASSESSABLE,
            "NOT ASSESSABLE ACCORDING TO ITS REVIEW",
            "by dr-ito on 2026-03-05 08:15 UTC",
        ),
    ],
)
def test_mark_says_what_was_decided_by_whom_and_when(
    review: Review, verdict: str, details: str
) -> None:
    assert words_of(review) == [verdict, details]


def test_long_reason_is_cut_to_three_lines() -> None:
    [_, details] = words_of(build_review(ReviewDecision.REJECT, comment="drusen " * 200))

    lines = details.split("\n")
    assert (len(lines), lines[-1]) == (3, "…")


@pytest.mark.parametrize("size", [(16.0, 12.0), (8.27, 11.69)])
def test_words_stand_within_picture_and_page(size: tuple[float, float]) -> None:
    figure = Figure(figsize=size, dpi=100)
    draw_mark(figure, build_review(ReviewDecision.AMEND, comment="W" * 300, reviewer="W" * 60))

    for text in figure.texts:
        box = text.get_window_extent()
        assert 0 < box.x0 < box.x1 < size[0] * 100
        assert 0 < box.y0 < box.y1 < size[1] * 100


def test_picture_has_the_band_over_the_field_and_a_cross_over_the_rest() -> None:
    prediction = build_prediction()

    plain, marked = (
        np.asarray(Image.open(BytesIO(draw_field_png(prediction, review))))[:, :, :3]
        for review in (None, REJECTED)
    )

    def share(picture: np.ndarray, colour: tuple[int, int, int]) -> float:
        return float(np.mean(np.all(picture == colour, axis=2)))

    assert share(plain, BAND) == 0.0
    assert share(marked, BAND) > 0.05
    assert share(marked, INK) > 0.005
    # The patient and the warning stay as they are.
    np.testing.assert_array_equal(plain[:180], marked[:180])


def test_titles_that_programs_read_begin_with_the_verdict() -> None:
    prediction = build_prediction()

    svg = draw_field_svg(prediction, NOT_ASSESSABLE)
    pdf = draw_page_pdf(prediction, NO_CONTEXT, REJECTED)

    assert b"<dc:title>NOT ASSESSABLE ACCORDING TO ITS REVIEW: ESTIMATED from OCT" in svg
    assert b"(REJECTED, NOT TO BE USED: ESTIMATED from OCT" in pdf
