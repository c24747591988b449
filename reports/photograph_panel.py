"""The photograph a field was estimated from, with what of it was read drawn in."""

from textwrap import wrap
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.values.prediction import FUNDUS_NOTICE, Prediction
from reports import palette
from reports.canvas import drawable

#: Where picture and text stand, in shares of the figure: left, bottom, width, height.
_PICTURE: Final = (0.03, 0.095, 0.34, 0.25)
_TEXT_LEFT, _TEXT_TOP = 0.385, 0.318
_LETTERS_A_LINE: Final = 48
#: Lines of notes that fit beside the picture; the page has them all.
_NOTE_LINES: Final = 5


def draw_photograph(figure: Figure, prediction: Prediction) -> Axes:
    """Draw the photograph beside its caption; return the panel of the picture."""
    panel = figure.add_axes(_PICTURE)
    panel.axis("off")
    if prediction.picture is not None:
        panel.imshow(prediction.picture, cmap="gray", vmin=0, vmax=255, aspect="equal")
    else:
        panel.text(
            0.5, 0.5, "no picture of this photograph is kept", ha="center", va="center", fontsize=12
        )
    figure.text(
        _TEXT_LEFT, _TEXT_TOP, "\n".join(wrap(FUNDUS_NOTICE, 34)), va="top", fontsize=15,
        weight="bold", color=palette.REFUSED_INK, linespacing=1.4,
    )  # fmt: skip
    figure.text(
        _TEXT_LEFT, _TEXT_TOP - 0.085, _caption(prediction), va="top", fontsize=10.5,
        color=palette.QUIET, linespacing=1.5,
    )  # fmt: skip
    return panel


def _caption(prediction: Prediction) -> str:
    caption = "Drawn in: the edge of the optic disc and the outer end of the ring that was read."
    lines = wrap(caption, _LETTERS_A_LINE)
    notes = [line for note in prediction.notes for line in wrap(note, _LETTERS_A_LINE)]
    shown = notes if len(notes) <= _NOTE_LINES else [*notes[: _NOTE_LINES - 1], "…"]
    return "\n".join(drawable(line) for line in (*lines, *shown))
