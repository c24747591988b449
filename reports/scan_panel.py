"""What the device recorded, with the borders that were found in it."""

from typing import Final, Literal

import numpy as np
from matplotlib.axes import Axes

from core.values.prediction import Prediction
from core.values.scan import ScanKind
from reports import palette

_ILM: Final = "#ffcf4d"
_RNFL: Final = "#4fd1ff"

_TITLES: Final[dict[ScanKind | None, str]] = {
    ScanKind.CIRCLE: "Scan with the borders found: ILM yellow, lower border of the RNFL blue",
    ScanKind.VOLUME: "Circle through the volume: ILM yellow, lower border of the RNFL blue",
    ScanKind.THICKNESS_MAP: "Thickness map of the device",
    ScanKind.FUNDUS: "Photograph: edge of the disc, outer end of the ring that was read",
    None: "Scan",
}


def scan_title(prediction: Prediction) -> str:
    """Return what the panel shows."""
    if prediction.layers is None and prediction.scan_kind in {ScanKind.CIRCLE, ScanKind.VOLUME}:
        return "Scan; no borders were found in it"
    return _TITLES[prediction.scan_kind]


def draw_scan(axes: Axes, prediction: Prediction) -> None:
    """Draw the picture of the scan, or say that none is kept."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(palette.HAIRLINE)
    picture = prediction.picture
    if picture is None:
        axes.text(
            0.5, 0.5, "no picture of this scan is kept", ha="center", va="center", fontsize=8,
            color=palette.QUIET, transform=axes.transAxes,
        )  # fmt: skip
        return
    is_b_scan = prediction.layers is not None
    aspect: Literal["auto", "equal"] = "auto" if is_b_scan else "equal"
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, aspect=aspect, interpolation="antialiased")
    _draw_layers(axes, prediction)


def _draw_layers(axes: Axes, prediction: Prediction) -> None:
    if prediction.layers is None or prediction.picture is None:
        return
    rows, columns = prediction.picture.shape[:2]
    for border, colour in ((prediction.layers.ilm_row, _ILM), (prediction.layers.rnfl_row, _RNFL)):
        # One value a column of the picture, or as many, evenly spread, as the picture was sampled.
        at = (np.arange(border.size) + 0.5) * columns / border.size - 0.5
        axes.plot(at, border, color=colour, lw=0.7)
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(rows - 0.5, -0.5)
