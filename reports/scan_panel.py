"""What the device recorded, with the borders that were found in it."""

from typing import Final, Literal

import numpy as np
from matplotlib.axes import Axes

from core.values.prediction import Prediction
from core.values.profile import Layers
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


_WITH_BORDERS: Final = frozenset({ScanKind.CIRCLE, ScanKind.VOLUME})


def scan_title(prediction: Prediction) -> str:
    """Return what the panel shows."""
    if _borders_of(prediction) is None and prediction.scan_kind in _WITH_BORDERS:
        return "Scan; no borders of it are kept"
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
    aspect: Literal["auto", "equal"] = "auto" if prediction.scan_kind in _WITH_BORDERS else "equal"
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, aspect=aspect, interpolation="antialiased")
    borders = _borders_of(prediction)
    if borders is not None:
        for rows, colour in ((borders.ilm_row, _ILM), (borders.rnfl_row, _RNFL)):
            axes.plot(np.arange(rows.size), rows, color=colour, lw=0.7)
    # Row 0 is the centre of the top row of pixels.
    axes.set_xlim(-0.5, picture.shape[1] - 0.5)
    axes.set_ylim(picture.shape[0] - 0.5, -0.5)


def _borders_of(prediction: Prediction) -> Layers | None:
    """Return the borders that lie in the picture: those of another would lie in wrong places."""
    layers, picture = prediction.layers, prediction.picture
    if layers is None or picture is None:
        return None
    width = (picture.shape[1],)
    return layers if layers.ilm_row.shape == layers.rnfl_row.shape == width else None
