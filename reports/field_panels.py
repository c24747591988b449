"""The three panels of a field, as the patient sees it: numbers, grey scale, total deviation."""

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse, Polygon, Rectangle
from numpy.typing import NDArray

from core.perimetry import pattern
from core.values.laterality import Laterality
from core.values.prediction import FieldDeviations, FieldEstimate
from reports import palette
from reports.grey_scale import BANDS, HALF_SIDE_DEGREE, SHADES, grey_scale
from reports.text_scale import FIELD_INCHES, scale_of

_REACH_DEGREE: Final = 31.0

#: Where the disc lies in the field: 15.5 degree temporal, 1.9 below (Garway-Heath 2000).
_BLIND_SPOT_DEGREE: Final = (15.5, -1.9)
_BLIND_SPOT_SIZE_DEGREE: Final = (5.5, 7.5)

#: Upper end of each shade in whole dB of total deviation; steps of dB, no probability.
_DEVIATION_STEPS: Final = (
    (-20.0, "#8c2d04"),
    (-10.0, "#d95f0e"),
    (-5.0, "#fdae6b"),
    (-2.0, "#fee6ce"),
)


def draw_numbers(axes: Axes, estimate: FieldEstimate, laterality: Laterality) -> None:
    """Draw each sensitivity in whole dB at its place."""
    _frame(axes)
    for x, y, value in _placed(estimate.sensitivities_db, laterality):
        _number(axes, x, y, value, "bold")
    _mark_blind_spot_as_triangle(axes, laterality)


def draw_grey_scale(axes: Axes, estimate: FieldEstimate, laterality: Laterality) -> None:
    """Draw the interpolated map with its scale."""
    _frame(axes)
    edge = HALF_SIDE_DEGREE
    axes.imshow(
        grey_scale(estimate, laterality),
        cmap="gray",
        vmin=0,
        vmax=1,
        extent=(-edge, edge, -edge, edge),
        interpolation="nearest",
        zorder=2,
    )
    x, y = _BLIND_SPOT_DEGREE
    place = (pattern.mirror_sign(laterality) * x, y)
    width, height = _BLIND_SPOT_SIZE_DEGREE
    for colour, line_width in (("white", 3.2), (palette.ACCENT, 1.6)):
        axes.add_patch(
            Ellipse(
                place, width, height, fill=False, ec=colour, lw=line_width * _scale(axes), zorder=4
            )
        )
    _draw_scale(axes)


def draw_total_deviation(axes: Axes, deviations: FieldDeviations, laterality: Laterality) -> None:
    """Draw the difference from the age norm in whole dB on a shade of its size."""
    _draw_deviation(axes, deviations.total_deviation_db, laterality)


def draw_pattern_deviation(axes: Axes, deviations: FieldDeviations, laterality: Laterality) -> None:
    """Draw the total deviation less the general depression, in whole dB."""
    _draw_deviation(axes, deviations.pattern_deviation_db, laterality)


def _draw_deviation(axes: Axes, deviation_db: NDArray[np.float32], laterality: Laterality) -> None:
    _frame(axes)
    for x, y, value in _placed(deviation_db, laterality):
        # The shade is that of the number as written, so that the same number looks the same.
        colour = next((c for limit, c in _DEVIATION_STEPS if round(value) <= limit), None)
        if colour:
            _shade(axes, x, y, colour)
        darkest = colour == _DEVIATION_STEPS[0][1]
        _number(axes, x, y, value, "normal", "white" if darkest else palette.INK)
    _mark_blind_spot_as_triangle(axes, laterality)


def _shade(axes: Axes, x: float, y: float, colour: str) -> None:
    side = pattern.SPACING_DEGREE
    corner = (x - side / 2, y - side / 2)
    axes.add_patch(Rectangle(corner, side, side, fc=colour, ec="white", lw=1, zorder=2))


def _placed(
    values: NDArray[np.float32], laterality: Laterality
) -> list[tuple[float, float, float]]:
    x = pattern.x_as_patient_sees(laterality)
    rows = zip(x, pattern.Y_DEGREE, values, strict=True)
    return [(float(at_x), float(at_y), float(value)) for at_x, at_y, value in rows]


def _number(
    axes: Axes, x: float, y: float, value: float, weight: str, colour: str = palette.INK
) -> None:
    text = f"{round(value):d}".replace("-", "−")
    axes.text(
        x, y, text, ha="center", va="center_baseline", fontsize=12.5 * _scale(axes), weight=weight,
        color=colour, zorder=5,
    )  # fmt: skip


def _scale(axes: Axes) -> float:
    return scale_of(axes, FIELD_INCHES)


def _frame(axes: Axes) -> None:
    axes.set_xlim(-_REACH_DEGREE, _REACH_DEGREE)
    axes.set_ylim(-_REACH_DEGREE, _REACH_DEGREE)
    axes.set_aspect("equal")
    axes.axis("off")
    line: dict[str, Any] = {"color": palette.HAIRLINE, "lw": 1.1 * _scale(axes), "zorder": 1}
    axes.plot([-30, 30], [0, 0], **line)
    axes.plot([0, 0], [-30, 30], **line)
    for at in (-30, -20, -10, 10, 20, 30):
        axes.plot([at, at], [-0.7, 0.7], **line)
        axes.plot([-0.7, 0.7], [at, at], **line)
    axes.text(1.2, 28.6, "30°", fontsize=9 * _scale(axes), color=palette.QUIET)


def _mark_blind_spot_as_triangle(axes: Axes, laterality: Laterality) -> None:
    x = pattern.mirror_sign(laterality) * pattern.BLIND_SPOT_X_DEGREE[0]
    corners = [(x - 1.3, -1.1), (x + 1.3, -1.1), (x, 1.3)]
    axes.add_patch(Polygon(corners, fc=palette.QUIET, ec="none", zorder=5))


def _draw_scale(axes: Axes) -> None:
    """Draw the shade of each band of 5 dB below the map."""
    left, bottom, width = -28.0, -30.5, 7.0
    size = 8.5 * _scale(axes)
    for band in range(BANDS):
        corner = (left + band * width, bottom)
        shade = str(SHADES[band])
        axes.add_patch(
            Rectangle(corner, width, 2.0, fc=shade, ec=palette.HAIRLINE, lw=0.6, zorder=3)
        )
        axes.text(
            corner[0], bottom + 2.6, f"{band * 5}", ha="center", fontsize=size, color=palette.QUIET
        )
    axes.text(28.0, bottom + 2.6, "40 dB", ha="center", fontsize=size, color=palette.QUIET)
