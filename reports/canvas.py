"""Figures of matplotlib that draw the same bytes every time, whatever text they carry.

Text is never read as mathematics or markup: a patient may be called `$x_1$<script>`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from threading import Lock
from typing import Final
from unicodedata import category

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

#: Pixels an inch: figure sizes are given in pixels divided by this.
DOTS_PER_INCH: Final = 100

#: Drawn for a letter that no installed font has.
MISSING: Final = "□"

#: DejaVu Sans comes with matplotlib; the others are used where the system has them.
_FAMILIES: Final = (
    "DejaVu Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans CJK KR",
    "Noto Sans Thai",
    "Noto Sans Devanagari",
)

#: Categories of Unicode that put nothing on paper: controls, formats, line and paragraph ends.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})

# matplotlib keeps its settings in one dictionary for the whole process; two threads drawing at once
# would take each other's.
_DRAWING: Final = Lock()

Drawing = Callable[[Figure], None]


def to_png(width_px: int, height_px: int, draw: Drawing) -> bytes:
    """Return what `draw` puts on a figure of that size, as PNG."""
    with _figure(width_px, height_px, draw) as figure:
        buffer = BytesIO()
        figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
        return buffer.getvalue()


def to_svg(width_px: int, height_px: int, draw: Drawing, title: str) -> bytes:
    """Return what `draw` puts on a figure of that size, as SVG with letters as outlines."""
    with _figure(width_px, height_px, draw) as figure:
        buffer = BytesIO()
        metadata = {"Title": title, "Date": None, "Creator": None}
        figure.savefig(buffer, format="svg", dpi=DOTS_PER_INCH, metadata=metadata)
        return buffer.getvalue()


def to_pdf(width_px: int, height_px: int, draw: Drawing, title: str) -> bytes:
    """Return what `draw` puts on a page of that size, as PDF of one page with its fonts embedded.

    Fonts are embedded as Type 3: as Type 42 matplotlib declares the outlines of a CJK font to be
    TrueType, which they are not, and a strict viewer then shows no name at all.
    """
    with _figure(width_px, height_px, draw) as figure:
        buffer = BytesIO()
        metadata = {"Title": title, "CreationDate": None, "Creator": None, "Producer": None}
        figure.savefig(buffer, format="pdf", dpi=2 * DOTS_PER_INCH, metadata=metadata)
        return buffer.getvalue()


def to_rgb(
    width_px: int, height_px: int, draw: Drawing, dots_per_inch: int = DOTS_PER_INCH
) -> NDArray[np.uint8]:
    """Return what `draw` puts on a figure as uint8, shape (height, width, 3).

    Parameters
    ----------
    dots_per_inch
        Of the picture: with more than usual it has more pixels than the figure.
    """
    with _figure(width_px, height_px, draw) as figure:
        figure.set_dpi(dots_per_inch)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[:, :, :3], dtype=np.uint8)


def drawable(text: str) -> str:
    """Return the text with a box for each letter that no font here can draw."""
    letters = (letter for letter in text if category(letter) not in _UNSEEN)
    return "".join(letter if _has_glyph(letter) else MISSING for letter in letters)


@contextmanager
def _figure(width_px: int, height_px: int, draw: Drawing) -> Iterator[Figure]:
    settings = {
        "font.family": list(_installed_families()),
        "text.parse_math": False,
        "text.usetex": False,
        "svg.fonttype": "path",
        "svg.hashsalt": "arcuate",
        "pdf.fonttype": 3,
        "path.simplify": False,
    }
    with _DRAWING, mpl.rc_context(settings):
        size = (width_px / DOTS_PER_INCH, height_px / DOTS_PER_INCH)
        figure = Figure(figsize=size, dpi=DOTS_PER_INCH, facecolor="white")
        draw(figure)
        yield figure


@cache
def _installed_families() -> tuple[str, ...]:
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return tuple(family for family in _FAMILIES if family in installed)


@cache
def _has_glyph(letter: str) -> bool:
    return any(
        font_manager.get_font(font_manager.findfont(family)).get_char_index(ord(letter)) != 0
        for family in _installed_families()
    )
