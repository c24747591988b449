"""Simulated fundus cameras: what they see of an eye, and what they do to the light."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from inference.simulation.fundus_eyes import FundusEye
from inference.simulation.fundus_retina import BLUE, GREEN, INFRARED, RED, Band, retina_light
from inference.simulation.fundus_view import FundusView


class CameraKind(StrEnum):
    """The light a photograph is taken in."""

    COLOUR = "colour"
    RED_FREE = "red_free"
    INFRARED = "infrared"


BANDS: Final[dict[CameraKind, tuple[Band, ...]]] = {
    CameraKind.COLOUR: (RED, GREEN, BLUE),
    CameraKind.RED_FREE: (GREEN,),
    CameraKind.INFRARED: (INFRARED,),
}
_KIND_SHARES: Final = {
    CameraKind.COLOUR: 0.6,
    CameraKind.RED_FREE: 0.2,
    CameraKind.INFRARED: 0.2,
}
#: Pixels across the field, and fields in degree, of common cameras.
_SIZES_PX: Final = (768, 896, 1024)
_FIELDS_DEGREE: Final = (30.0, 35.0, 45.0, 50.0)


@dataclass(frozen=True)
class Camera:
    """One exposure.

    Attributes
    ----------
    kind
        The light it is taken in.
    size_px, field_degree
        Height of the picture, and the visual angle it spans.
    blur_degree
        SD of what lens, media and focus blur.
    noise
        SD of a pixel's noise over its light.
    exposure
        Factor of the light.
    vignetting
        Share of the light lost at the edge of the field.
    tilt
        How much brighter the right and the upper edge are than the middle (natural logarithm).
    """

    kind: CameraKind
    size_px: int
    field_degree: float
    blur_degree: float
    noise: float
    exposure: float
    vignetting: float
    tilt: tuple[float, float]

    @property
    def px_per_degree(self) -> float:
        """Pixels to one degree of the visual angle."""
        return self.size_px / self.field_degree


def draw_camera(rng: np.random.Generator, kind: CameraKind | None = None) -> Camera:
    """Return an exposure of mixed quality, as a clinic has them; `kind` is drawn where None."""
    drawn = CameraKind(rng.choice(list(_KIND_SHARES), p=list(_KIND_SHARES.values())))
    return Camera(
        kind=kind or drawn,
        size_px=int(rng.choice(_SIZES_PX)),
        field_degree=float(rng.choice(_FIELDS_DEGREE)),
        blur_degree=float(rng.uniform(0.02, 0.11)),
        noise=float(rng.uniform(0.01, 0.06)),
        exposure=float(rng.uniform(0.75, 1.15)),
        vignetting=float(rng.uniform(0.05, 0.5)),
        tilt=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.12))),
    )


def expose(
    eye: FundusEye, view: FundusView, camera: Camera, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the eye's light through the camera's lens, float32, shape (rows, columns, bands), 0-1.

    The view may be finer or coarser than the camera; noise is that of the camera's pixels, averaged
    over those of the view. Uneven light is left to the caller, who knows where the field ends.
    """
    light = retina_light(eye, view, BANDS[camera.kind], rng)
    blur_px = camera.blur_degree * view.px_per_degree
    light = gaussian_filter(light, (blur_px, blur_px, 0))
    grain = camera.noise * min(1.0, view.px_per_degree / camera.px_per_degree)
    light *= 1 + grain * rng.standard_normal(light.shape, dtype=np.float32)
    return np.asarray(np.clip(camera.exposure * light, 0, 1), np.float32)
