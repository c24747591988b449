"""What charts over time are drawn with: their size, and the shapes of marks."""

from dataclasses import dataclass
from itertools import cycle, islice
from typing import Final

_SHAPES: Final = ("circle", "square", "diamond", "triangle")
#: Half the size of a mark, in units of the drawing.
RADIUS: Final = 5.0


@dataclass(frozen=True)
class Frame:
    """The size of a drawing and the edges of its plot, in its own units."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int


LARGE: Final = Frame(width=560, height=230, left=44, right=548, top=14, bottom=200)
SMALL: Final = Frame(width=270, height=130, left=38, right=262, top=10, bottom=106)


def shape_of(run: int) -> str:
    """Return the shape that stands for a run."""
    return next(islice(cycle(_SHAPES), run - 1, None))


def outline(shape: str, x: float, y: float, radius: float = RADIUS) -> str:
    """Return the outline of a shape around a place, for SVG."""
    r = radius
    match shape:
        case "square":
            return f"M{x - r:g} {y - r:g}h{2 * r:g}v{2 * r:g}h{-2 * r:g}z"
        case "diamond":
            s = r * 1.3
            return f"M{x:g} {y - s:g}l{s:g} {s:g}l{-s:g} {s:g}l{-s:g} {-s:g}z"
        case "triangle":
            return f"M{x:g} {y - r * 1.2:g}l{r * 1.2:g} {r * 2.1:g}h{-r * 2.4:g}z"
        case "cross":
            return f"M{x - r:g} {y - r:g}l{2 * r:g} {2 * r:g}m0 {-2 * r:g}l{-2 * r:g} {2 * r:g}"
    return f"M{x - r:g} {y:g}a{r:g} {r:g} 0 1 0 {2 * r:g} 0a{r:g} {r:g} 0 1 0 {-2 * r:g} 0z"


def turn(run: int) -> int:
    """Return the number of a run in turns of the shapes, from 1; 0 for none."""
    return (run - 1) % len(_SHAPES) + 1 if run else 0
