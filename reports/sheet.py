"""A sheet of paper to draw a page on: A4 upright, measured in inches from its upper left corner."""

from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from core.values.prediction import Prediction
from reports import palette
from reports.canvas import DOTS_PER_INCH, drawable
from reports.page_words import patient_lines

WIDTH_PX: Final = 827
HEIGHT_PX: Final = 1169
WIDTH_INCHES: Final = WIDTH_PX / DOTS_PER_INCH
HEIGHT_INCHES: Final = HEIGHT_PX / DOTS_PER_INCH
MARGIN_INCHES: Final = 0.4
#: Width of what stands right of the patient.
SCAN_INCHES: Final = 3.3
_PATIENT_INCHES: Final = WIDTH_INCHES - 2 * MARGIN_INCHES - SCAN_INCHES - 0.2
#: A name is written smaller before it is cut.
_NAME_LETTERS: Final = 110

RIGHT_INCHES: Final = WIDTH_INCHES - MARGIN_INCHES


@dataclass(frozen=True)
class Box:
    """A place on the sheet in inches; `top` counts downwards."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Sheet:
    """A figure of the size of the sheet."""

    figure: Figure

    def panel(self, box: Box, title: str = "") -> Axes:
        """Return a panel at a place, its title above it."""
        axes = self.figure.add_axes(
            (
                box.left / WIDTH_INCHES,
                1 - (box.top + box.height) / HEIGHT_INCHES,
                box.width / WIDTH_INCHES,
                box.height / HEIGHT_INCHES,
            )
        )
        if title:
            self.title(box, title)
        return axes

    def title(self, box: Box, text: str) -> None:
        """Write the title of what stands in a place."""
        middle = box.left + box.width / 2
        self.text(middle, box.top - 0.05, text, size=8.5, weight="bold", ha="center")

    def text(
        self,
        left: float,
        baseline: float,
        text: str,
        *,
        size: float,
        room: float = WIDTH_INCHES,
        **style: Any,
    ) -> None:
        """Write text, its base line so many inches below the top of the sheet.

        Parameters
        ----------
        room
            Width in inches that it may take: what is longer is written smaller, never cut.
        """
        style = {"color": palette.INK, **style}
        written = self.figure.text(
            left / WIDTH_INCHES,
            1 - baseline / HEIGHT_INCHES,
            drawable(text),
            fontsize=size,
            **style,
        )
        width = written.get_window_extent().width / self.figure.dpi
        if width > room:
            written.set_fontsize(size * room / width)

    def paragraph(
        self, left: float, top: float, sentences: tuple[str, ...], letters: int, **style: Any
    ) -> int:
        """Write sentences from a line on downwards, each wrapped; return how many lines."""
        lines = [drawable(line) for sentence in sentences for line in wrap(sentence, letters)]
        place = left / WIDTH_INCHES, 1 - top / HEIGHT_INCHES
        self.figure.text(
            *place,
            "\n".join(lines),
            **{"va": "top", "linespacing": 1.4, "color": palette.INK, **style},
        )
        return len(lines)

    def rule(self, top: float) -> None:
        """Draw a hairline across the sheet."""
        height = 1 - top / HEIGHT_INCHES
        ends = [MARGIN_INCHES / WIDTH_INCHES, RIGHT_INCHES / WIDTH_INCHES]
        self.figure.add_artist(Line2D(ends, [height, height], color=palette.HAIRLINE, lw=0.6))

    def fill(self, box: Box, colour: str, edge: str = "none") -> None:
        """Fill a place with a colour."""
        self.figure.add_artist(
            Rectangle(
                (box.left / WIDTH_INCHES, 1 - (box.top + box.height) / HEIGHT_INCHES),
                box.width / WIDTH_INCHES,
                box.height / HEIGHT_INCHES,
                fc=colour,
                ec=edge,
                lw=0.8,
                transform=self.figure.transFigure,
            )
        )

    def draw_banner(self, text: str) -> None:
        """Draw the warning across the head of the sheet."""
        self.fill(Box(0, 0, WIDTH_INCHES, 0.4), palette.WARNING)
        self.text(
            WIDTH_INCHES / 2, 0.2, text, size=14, weight="bold", ha="center", va="center_baseline"
        )

    def draw_patient(self, prediction: Prediction) -> None:
        """Write who it is below the banner."""
        name, identity, details = patient_lines(prediction, _NAME_LETTERS)
        room = _PATIENT_INCHES
        self.text(MARGIN_INCHES, 0.68, name, size=12, weight="bold", room=room)
        self.text(MARGIN_INCHES, 0.88, identity, size=8.5, room=room)
        self.text(MARGIN_INCHES, 1.04, details, size=8.5, room=room, color=palette.QUIET)
        self.rule(1.14)
