"""What stands around the panels of a picture: the warning, whose eye, which scan, which model."""

from textwrap import wrap
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from core.values.prediction import Prediction
from reports import palette
from reports.canvas import drawable
from reports.page_words import eye_words, model_line, patient_lines, scan_lines


def draw_page(figure: Figure, prediction: Prediction, banner: str) -> None:
    """Draw the banner, the header and the footer."""
    _draw_banner(figure, banner)
    _draw_patient(figure, prediction)
    _draw_scan(figure, prediction)
    _draw_footer(figure, prediction)


def _draw_banner(figure: Figure, banner: str) -> None:
    figure.add_artist(
        Rectangle((0, 0.945), 1, 0.055, fc=palette.WARNING, ec="none", transform=figure.transFigure)
    )
    figure.text(
        0.5, 0.9725, banner, ha="center", va="center_baseline", fontsize=25, weight="bold",
        color=palette.INK,
    )  # fmt: skip


def _draw_patient(figure: Figure, prediction: Prediction) -> None:
    name, identity, details = map(drawable, patient_lines(prediction))
    figure.text(
        0.03, 0.916, name, fontsize=19, weight="bold", color=palette.INK, va="center_baseline"
    )
    figure.text(0.03, 0.882, identity, fontsize=13, color=palette.INK)
    figure.text(0.03, 0.858, details, fontsize=13, color=palette.QUIET)


def _draw_scan(figure: Figure, prediction: Prediction) -> None:
    eye, colour = eye_words(prediction.laterality)
    figure.text(
        0.97, 0.916, eye, ha="right", fontsize=24, weight="bold", color=colour,
        va="center_baseline",
    )  # fmt: skip
    right: dict[str, Any] = {"ha": "right", "fontsize": 13}
    what, device = map(drawable, scan_lines(prediction))
    figure.text(0.97, 0.882, what, color=palette.INK, **right)
    figure.text(0.97, 0.858, device, color=palette.QUIET, **right)


def _draw_footer(figure: Figure, prediction: Prediction) -> None:
    notice = "\n".join(wrap(prediction.notice, 160))
    made = drawable(model_line(prediction))
    figure.text(0.03, 0.052, made, fontsize=11, color=palette.QUIET)
    figure.text(0.03, 0.043, notice, fontsize=11.5, weight="bold", color=palette.INK, va="top")
