"""The nerve fibre layer around the disc beside the age norm, temporal to temporal."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes

from core.perimetry.rnfl import normal_band_um, normal_profile_um
from core.values.prediction import Prediction
from core.values.profile import PROFILE_ANGLES_DEGREE
from reports import palette
from reports.text_scale import WIDE_INCHES, scale_of

#: TSNIT angle in degree and name of the quadrant there.
_QUADRANTS: Final = ((0, "T"), (90, "S"), (180, "N"), (270, "I"), (360, "T"))
_LEAST_TOP_UM: Final = 245.0
_LEAST_SCALE: Final = 0.62


def draw_profile(axes: Axes, prediction: Prediction, *, legend: bool = True) -> None:
    """Draw the thickness in micrometre over the TSNIT angle, the same way round for both eyes."""
    thickness_um = prediction.thickness_um
    if thickness_um is not None and np.isnan(thickness_um).all():
        # A picture that showed nothing at all has samples, but none with a value.
        thickness_um = None
    if prediction.age_years is not None:
        _draw_norm(axes, prediction.age_years)
    if thickness_um is not None:
        label = f"this eye, mean {float(thickness_um.mean()):.0f} µm"
        axes.plot(
            PROFILE_ANGLES_DEGREE,
            thickness_um,
            color=palette.ACCENT,
            lw=2.2 * _scale(axes),
            label=label,
            zorder=4,
        )
    else:
        axes.text(
            180,
            20,
            "no profile could be read from this scan",
            ha="center",
            fontsize=13 * _scale(axes),
        )
    highest = 0.0 if thickness_um is None else float(thickness_um.max())
    axes.set_ylim(0, max(_LEAST_TOP_UM, highest * 1.15))
    _dress(axes)
    if legend and axes.get_legend_handles_labels()[1]:
        size = 9.5 * _scale(axes)
        axes.legend(loc="upper right", fontsize=size, frameon=False, ncols=3)


def place_legend_below(axes: Axes) -> None:
    """Put the names of the curves below a panel that is too small to hold them."""
    if axes.get_legend_handles_labels()[1]:
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.09), fontsize=6.2, frameon=False, ncols=3,
            columnspacing=1.2, handlelength=1.6,
        )  # fmt: skip


def _draw_norm(axes: Axes, age_years: float) -> None:
    lower, upper = normal_band_um(age_years)
    axes.fill_between(
        PROFILE_ANGLES_DEGREE, lower, upper, color=palette.NORM_BAND, lw=0, zorder=1,
        label="5 to 95 % of simulated healthy eyes",
    )  # fmt: skip
    axes.plot(
        PROFILE_ANGLES_DEGREE, normal_profile_um(age_years), color=palette.NORM_LINE,
        lw=1.2 * _scale(axes), ls="--", zorder=2, label=f"normal mean at {age_years:.0f} years",
    )  # fmt: skip


def _dress(axes: Axes) -> None:
    axes.set_xlim(0, 360)
    axes.set_xticks([angle for angle, _ in _QUADRANTS], [name for _, name in _QUADRANTS])
    axes.set_ylabel("µm", color=palette.QUIET, fontsize=11 * _scale(axes))
    axes.tick_params(colors=palette.QUIET, labelsize=11 * _scale(axes), length=3)
    axes.grid(color=palette.HAIRLINE, lw=0.6, alpha=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(palette.HAIRLINE)


def _scale(axes: Axes) -> float:
    # Never below what can be read on paper.
    return max(scale_of(axes, WIDE_INCHES), _LEAST_SCALE)
