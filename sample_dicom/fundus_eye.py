"""One simulated eye as a fundus camera photographs it on a good day."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality
from inference.simulation.fundus_cameras import Camera, CameraKind
from inference.simulation.fundus_eyes import draw_fundus_eye
from inference.simulation.fundus_photographs import photograph

#: A clear, even picture in colour.
_CAMERA: Final = Camera(
    kind=CameraKind.COLOUR,
    size_px=1024,
    field_degree=45.0,
    blur_degree=0.03,
    noise=0.015,
    exposure=1.0,
    vignetting=0.2,
    tilt=(0.03, -0.02),
)


def width_degree(pixels: NDArray[np.uint8]) -> float:
    """Return the angle that the width of a photograph shows; its height shows the field."""
    rows, columns = pixels.shape[:2]
    return float(_CAMERA.field_degree * columns / rows)


def photograph_pixels(
    laterality: Laterality,
    thickness_um: NDArray[np.floating],
    age_years: float,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Return a photograph of an eye with that profile, shape (768,), TSNIT, µm.

    uint8, shape (rows, columns, 3): red, green and blue.
    """
    eye = draw_fundus_eye(rng, np.asarray(thickness_um, np.float32), age_years)
    pixels = photograph(eye, _CAMERA, laterality, age_years, rng).scan.pixels
    return np.round(255 * pixels).astype(np.uint8)
