"""How large letters and lines are in a panel: in proportion to it, on a screen and on paper."""

from typing import Final

from matplotlib.axes import Axes

#: Widths in inches at which the panels have the sizes they are written with.
FIELD_INCHES: Final = 5.12
WIDE_INCHES: Final = 9.6


def scale_of(axes: Axes, written_for_inches: float) -> float:
    """Return what the sizes of a panel are multiplied with, by how wide it is."""
    figure = axes.get_figure(root=True)
    if figure is None:
        return 1.0
    width = float(axes.get_position(original=True).width * figure.get_figwidth())
    return width / written_for_inches
