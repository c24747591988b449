"""The mark over a page or picture whose numbers nobody must take any more."""

from textwrap import wrap
from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from core.values.review import Review
from reports import palette
from reports.canvas import drawable
from reports.review_words import decided_words, verdict_words

#: Above whatever else is drawn.
_LINES, _BAND, _WORDS = 20, 21, 22
#: A cross from below the head of the page to its foot: shares of height.
_CROSS: Final = (0.04, 0.84)
_LETTERS: Final = 90
#: Lines that fit; the review itself has them all.
_MOST_LINES: Final = 3
#: Widths of the band and heights of letters are shares of the width of the figure.
_LEFT, _WIDTH = 0.03, 0.94
#: Where the fields are, from the top, on picture and page.
_MIDDLE: Final = 0.315
_VERDICT_POINTS, _DETAIL_POINTS = 2.4, 1.15


def draw_mark(figure: Figure, review: Review) -> None:
    """Draw over everything that is there who decided when that it is not to be used."""
    low, high = _CROSS
    for ends in ((low, high), (high, low)):
        figure.add_artist(
            Line2D(
                (0.02, 0.98), ends, color=palette.REFUSED_INK, alpha=0.6, lw=6, zorder=_LINES,
                transform=figure.transFigure,
            )
        )  # fmt: skip
    lines = wrap(decided_words(review), _LETTERS)
    shown = lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], "…"]
    _draw_band(figure, verdict_words(review), "\n".join(drawable(line) for line in shown))


def _draw_band(figure: Figure, verdict: str, details: str) -> None:
    width = figure.get_figwidth()
    # A share of height that is as long as a share of width.
    share = width / figure.get_figheight()
    height = (0.075 + 0.02 * details.count("\n")) * share
    bottom = 1 - _MIDDLE * share - height / 2
    figure.add_artist(
        Rectangle(
            (_LEFT, bottom), _WIDTH, height, fc=palette.REFUSED, ec=palette.REFUSED_INK,
            lw=2, zorder=_BAND, transform=figure.transFigure,
        )
    )  # fmt: skip
    _write(figure, bottom + height - 0.025 * share, verdict, _VERDICT_POINTS * width,
           va="center", weight="bold", color=palette.REFUSED_INK)  # fmt: skip
    _write(figure, bottom + height - 0.045 * share, details, _DETAIL_POINTS * width,
           va="top", color=palette.INK, linespacing=1.4)  # fmt: skip


def _write(figure: Figure, height: float, text: str, points: float, **style: Any) -> None:
    """Write text in the middle of the band; what is wider than that is written smaller."""
    written = figure.text(0.5, height, text, ha="center", fontsize=points, zorder=_WORDS, **style)
    room = (_WIDTH - 0.02) * figure.get_figwidth() * figure.dpi
    width = written.get_window_extent().width
    if width > room:
        written.set_fontsize(points * room / width)
