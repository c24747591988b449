"""The picture of a photograph for people: small, with the disc and the ring drawn in."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.values.fundus import RING_LIMITS, FundusDisc

#: Long side in pixels.
MOST_PX: Final = 768
_DISC_COLOUR: Final = (80, 220, 255)
_RING_COLOUR: Final = (255, 220, 80)
_LINE_PX: Final = 2


def draw_fundus(pixels: NDArray[np.float32], disc: FundusDisc | None) -> NDArray[np.float32]:
    """Return the photograph at most 768 pixels a side, float32, shape (rows, columns, 3), 0 to 1.

    Parameters
    ----------
    pixels
        Shape (rows, columns, 1 or 3), 0 to 1.
    """
    grey = np.round(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
    image = Image.fromarray(grey if grey.shape[2] == 3 else grey[:, :, 0]).convert("RGB")
    scale = min(1.0, MOST_PX / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    image = image.resize(size, Image.Resampling.BOX)
    if disc is not None:
        pen = ImageDraw.Draw(image)
        radius = disc.diameter_px / 2 * scale
        middle = (disc.centre_column * scale, disc.centre_row * scale)
        _circle(pen, middle, radius, _DISC_COLOUR)
        _circle(pen, middle, radius * RING_LIMITS[1], _RING_COLOUR)
    return np.asarray(image, np.float32) / np.float32(255)


def _circle(
    pen: ImageDraw.ImageDraw,
    middle: tuple[float, float],
    radius: float,
    colour: tuple[int, int, int],
) -> None:
    across, down = middle
    box = (across - radius, down - radius, across + radius, down + radius)
    pen.ellipse(box, outline=colour, width=_LINE_PX)
