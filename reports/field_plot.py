"""The picture of a prediction that a clinician recognises, and its panels for the web page."""

from collections.abc import Callable
from textwrap import wrap
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from core.perimetry import norms
from core.values.prediction import FieldDeviations, FieldEstimate, Prediction
from core.values.review import Review
from reports import palette
from reports.canvas import drawable, to_png, to_rgb, to_svg
from reports.field_panels import draw_grey_scale, draw_numbers, draw_total_deviation
from reports.field_words import HEADLINES, field_notes, field_of, index_words
from reports.outcome import Outcome, outcome_of
from reports.page import draw_page
from reports.page_words import banner_of
from reports.photograph_panel import draw_photograph
from reports.profile_panel import draw_profile
from reports.review_mark import draw_mark
from reports.review_words import marked_title

WIDTH_PX: Final = 1600
HEIGHT_PX: Final = 1200

_NO_ESTIMATE_BANNER: Final = "NO ESTIMATE   ·   nothing was measured"
#: Lines of reasons that fit below the headline; the report has them all.
_REASON_LINES: Final = 8
#: Lines of notes that fit above the footer; the structured report has them all.
_NOTE_LINES: Final = 3
_NOTE_LETTERS: Final = 130


def draw_field_png(prediction: Prediction, withheld: Review | None = None) -> bytes:
    """Return the whole picture as PNG, 1600 by 1200.

    Parameters
    ----------
    withheld
        The decision that nobody must take the numbers any more: marked over all.
    """
    return to_png(WIDTH_PX, HEIGHT_PX, _page(prediction, withheld))


def draw_field_svg(prediction: Prediction, withheld: Review | None = None) -> bytes:
    """Return the whole picture as SVG; see `draw_field_png`."""
    title = marked_title(banner_of(prediction), withheld)
    return to_svg(WIDTH_PX, HEIGHT_PX, _page(prediction, withheld), title)


def draw_field_rgb(prediction: Prediction) -> NDArray[np.uint8]:
    """Return the whole picture as uint8, shape (1200, 1600, 3)."""
    return to_rgb(WIDTH_PX, HEIGHT_PX, _page(prediction))


def field_svg(prediction: Prediction) -> bytes:
    """Return numbers and grey scale side by side as SVG, without a patient's name."""

    def draw(figure: Figure) -> None:
        if outcome_of(prediction) is not Outcome.ESTIMATED:
            _draw_refusal(figure, prediction, (0.03, 0.1, 0.94, 0.8))
            return
        estimate, _, eye = field_of(prediction)
        numbers = figure.add_axes((0.0, 0.0, 0.5, 0.9))
        draw_numbers(numbers, estimate, eye)
        greys = figure.add_axes((0.5, 0.0, 0.5, 0.9))
        draw_grey_scale(greys, estimate, eye)
        _title(numbers, "Estimated sensitivity, dB")
        _title(greys, f"Grey scale, {eye.eye}")

    return to_svg(1000, 540, draw, banner_of(prediction))


def profile_svg(prediction: Prediction) -> bytes:
    """Return the nerve fibre layer profile beside the age norm as SVG."""

    def draw(figure: Figure) -> None:
        draw_profile(figure.add_axes((0.07, 0.1, 0.91, 0.86)), prediction)

    return to_svg(1000, 340, draw, "Nerve fibre layer thickness around the disc")


def _page(prediction: Prediction, withheld: Review | None = None) -> Callable[[Figure], None]:
    is_estimated = outcome_of(prediction) is Outcome.ESTIMATED
    draw_result = _draw_estimate if is_estimated else _draw_no_estimate

    def draw(figure: Figure) -> None:
        draw_result(figure, prediction)
        if withheld is not None:
            draw_mark(figure, withheld)

    return draw


def _draw_estimate(figure: Figure, prediction: Prediction) -> None:
    estimate, deviations, eye = field_of(prediction)
    draw_page(figure, prediction, banner_of(prediction))
    panels = [figure.add_axes((0.012 + 0.329 * i, 0.385, 0.32, 0.427)) for i in range(3)]
    draw_numbers(panels[0], estimate, eye)
    draw_grey_scale(panels[1], estimate, eye)
    draw_total_deviation(panels[2], deviations, eye)
    _title(panels[0], "Estimated sensitivity, dB")
    _title(panels[1], "Grey scale of the estimate")
    _title(panels[2], f"Total deviation, dB ({norms.NORM_NAME} norm)")
    _draw_structure(figure, prediction)
    _draw_indices(figure, prediction, estimate, deviations)


def _draw_structure(figure: Figure, prediction: Prediction) -> None:
    """Draw what the field was estimated from."""
    if prediction.is_of_photograph:
        _title(draw_photograph(figure, prediction), "Photograph of the fundus")
        return
    bottom = 0.155 if prediction.notes else 0.105
    profile = figure.add_axes((0.055, bottom, 0.6, 0.34 - bottom))
    draw_profile(profile, prediction)
    _title(profile, "Nerve fibre layer around the disc, µm")
    _draw_notes(figure, prediction, top=0.115)


def _draw_no_estimate(figure: Figure, prediction: Prediction) -> None:
    draw_page(figure, prediction, _NO_ESTIMATE_BANNER)
    _draw_refusal(figure, prediction, (0.03, 0.22, 0.94, 0.58))
    _draw_notes(figure, prediction, top=0.2)


def _draw_notes(figure: Figure, prediction: Prediction, top: float) -> None:
    """Draw what was noted of the scan and of what it was compared with."""
    if not prediction.notes:
        return
    lines = wrap(" ".join(prediction.notes), _NOTE_LETTERS)
    shown = lines if len(lines) <= _NOTE_LINES else [*lines[: _NOTE_LINES - 1], "…"]
    figure.text(
        0.03, top, "\n".join(drawable(line) for line in shown), va="top", fontsize=10,
        color=palette.INK, linespacing=1.4,
    )  # fmt: skip


def _draw_refusal(
    figure: Figure, prediction: Prediction, box: tuple[float, float, float, float]
) -> None:
    left, bottom, width, height = box
    figure.add_artist(
        Rectangle(
            (left, bottom), width, height, fc=palette.REFUSED, ec=palette.REFUSED_INK, lw=1.5,
            transform=figure.transFigure,
        )
    )  # fmt: skip
    middle, scale = left + width / 2, figure.get_figwidth() / (WIDTH_PX / 100)
    figure.text(
        middle, bottom + height * 0.82, "NO ESTIMATE", ha="center", va="center", weight="bold",
        fontsize=54 * scale, color=palette.REFUSED_INK,
    )  # fmt: skip
    figure.text(
        middle, bottom + height * 0.66, HEADLINES[outcome_of(prediction)], ha="center",
        va="center", fontsize=22 * scale, color=palette.INK,
    )  # fmt: skip
    lines = [line for reason in prediction.reasons for line in wrap(f"• {reason.message}", 92)]
    figure.text(
        middle, bottom + height * 0.56, _drawable_lines(lines), ha="center", va="top",
        fontsize=19 * scale, color=palette.INK, linespacing=1.6,
    )  # fmt: skip


def _drawable_lines(lines: list[str]) -> str:
    """Return the lines that fit as one text, each made drawable."""
    shown = lines if len(lines) <= _REASON_LINES else [*lines[: _REASON_LINES - 1], "…"]
    return "\n".join(drawable(line) for line in shown)


def _draw_indices(
    figure: Figure, prediction: Prediction, estimate: FieldEstimate, deviations: FieldDeviations
) -> None:
    for row, (name, value) in enumerate(index_words(deviations)):
        height = 0.318 - 0.05 * row
        figure.text(0.69, height, name, fontsize=16, color=palette.QUIET)
        figure.text(0.97, height, value, ha="right", fontsize=24, weight="bold", color=palette.INK)
    notes = field_notes(estimate, prediction.age_years)
    lines = [line for note in notes for line in wrap(note, 57)]
    figure.text(
        0.69, 0.238, "\n".join(lines), va="top", fontsize=10.5,
        color=palette.QUIET, linespacing=1.5,
    )  # fmt: skip


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, fontsize=13.5, weight="bold", color=palette.INK, loc="center", pad=4)
