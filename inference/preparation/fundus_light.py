"""The light of a photograph: where the field of view lies, and what it is with even lighting."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_erosion, binary_fill_holes, label

#: Short side of the overview in pixels: 30° and 50° photographs show discs of 28 and 17 px radius.
OVERVIEW_PX: Final = 320
#: Below this share of the brightest light lies the camera's black border.
_BORDER_SHARE: Final = 0.08
#: The lens' edge is dim and blurred: this much of the overview is not used.
_EDGE_PX: Final = 4
_DARKEST: Final = 0.02
#: Light this far (logarithm) from the even one is disc, vessel or macula, not lighting.
_UNUSUAL: Final = 0.25
_ROUNDS: Final = 3


@dataclass(frozen=True)
class Overview:
    """A photograph made small.

    Attributes
    ----------
    light
        float32, shape (rows, columns): green or grey light, 0 to 1.
    colour
        float32, shape (rows, columns, 3), or None for a grey photograph.
    seen
        Same rows and columns: inside the field of view.
    step
        Pixels of the photograph to one of the overview.
    """

    light: NDArray[np.float32]
    colour: NDArray[np.float32] | None
    seen: NDArray[np.bool_]
    step: float


@dataclass(frozen=True)
class Lighting:
    """Light that changes slowly over the picture, as lens and pupil make it.

    Attributes
    ----------
    weights
        float64, shape (6,): of 1, x, y, x², xy, y², from -1 to 1 across the picture's long side;
        together the natural logarithm of the light.
    rows, columns
        Size of the picture.
    """

    weights: NDArray[np.float64]
    rows: int
    columns: int

    def log_light(
        self, rows: NDArray[np.float64], columns: NDArray[np.float64], step: float = 1.0
    ) -> NDArray[np.float64]:
        """Return the logarithm of the light at pixels `step` times as large as the overview's."""
        half = max(self.rows, self.columns) / 2
        y = ((rows + 0.5) * step - self.rows / 2) / half
        x = ((columns + 0.5) * step - self.columns / 2) / half
        return np.asarray(_terms(x, y) @ self.weights)


def look_over(pixels: NDArray[np.float32]) -> Overview:
    """Return the overview of a photograph, shape (rows, columns, 1 or 3), 0 to 1."""
    rows, columns, bands = pixels.shape
    step = min(rows, columns) / OVERVIEW_PX
    size = (round(columns / step), round(rows / step))
    small = np.stack(
        [
            np.asarray(
                Image.fromarray(pixels[:, :, band]).resize(size, Image.Resampling.BOX), np.float32
            )
            for band in range(bands)
        ],
        axis=2,
    )
    brightest = small.max(axis=2)
    return Overview(
        light=small[:, :, min(1, bands - 1)],
        colour=small if bands == 3 else None,
        seen=_field_of_view(brightest),
        step=step,
    )


def measure_lighting(overview: Overview) -> Lighting:
    """Return the slow change of light over the field of view."""
    rows, columns = np.nonzero(overview.seen)
    logs = np.log(np.maximum(overview.light[rows, columns], _DARKEST))
    shape = overview.light.shape
    start = Lighting(np.zeros(6), *shape)
    half = max(shape) / 2
    y, x = (rows + 0.5 - shape[0] / 2) / half, (columns + 0.5 - shape[1] / 2) / half
    terms = _terms(x, y)
    usual = np.ones(len(logs), np.bool_)
    weights: NDArray[np.floating] = start.weights
    for _ in range(_ROUNDS):
        gram = terms[usual].T @ terms[usual] + 1e-3 * np.eye(6)
        weights = np.linalg.solve(gram, terms[usual].T @ logs[usual])
        misses = np.abs(logs - terms @ weights)
        usual = misses < max(_UNUSUAL, float(np.median(misses)))
    return Lighting(weights.astype(np.float64), *shape)


def _field_of_view(brightest: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the one lit region of a photograph without its blurred edge."""
    limit = _BORDER_SHARE * float(np.quantile(brightest, 0.98))
    parts, count = label(brightest > limit)
    if count == 0:
        return np.zeros_like(brightest, np.bool_)
    largest = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    whole = binary_fill_holes(parts == largest)
    return np.asarray(binary_erosion(whole, iterations=_EDGE_PX, border_value=0), np.bool_)


def _terms(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.ones_like(x), x, y, x**2, x * y, y**2], axis=-1)
