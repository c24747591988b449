"""Whole simulated photographs of the fundus, as a camera would send them."""

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.values.laterality import Laterality
from core.values.scan import Device, FundusGeometry, Scan, ScanKind
from inference.simulation.fundus_cameras import Camera, expose
from inference.simulation.fundus_eyes import FundusEye
from inference.simulation.fundus_view import FundusView, temple_is_right

#: From the disc to the fovea; where the picture's middle lies on that way, and how far beside it.
_DISC_CENTRED, _MACULA_CENTRED = 0.0, 1.0
_AIM_SD_DEGREE: Final = 1.2
#: Least room between the disc's centre and the edge of the field, in disc radii.
_ROOM_RADII: Final = 2.3
_ASPECTS: Final = (1.0, 4 / 3)
_DEVICE: Final = Device("Arcuate simulation", "Fundus camera")


@dataclass(frozen=True)
class FundusPhotograph:
    """A simulated photograph and what it shows.

    Attributes
    ----------
    scan
        As the node would read it.
    view
        Where the disc really is, and how the picture is turned.
    eye
        What was photographed.
    """

    scan: Scan
    view: FundusView
    eye: FundusEye


def photograph(
    eye: FundusEye,
    camera: Camera,
    laterality: Laterality,
    age_years: float | None,
    rng: np.random.Generator,
) -> FundusPhotograph:
    """Return a photograph of the eye: disc or macula in its middle, or between, round or square."""
    view = _aimed(eye, camera, laterality, rng)
    light = expose(eye, view, camera, rng)
    light *= _uneven(view, camera)[:, :, np.newaxis]
    if rng.random() < 0.7:
        light *= _round_field(view)[:, :, np.newaxis]
    grey = np.round(255 * np.clip(light, 0, 1)).astype(np.uint8)
    pixels = _through_jpeg(grey, int(rng.integers(75, 97))).astype(np.float32)
    scan = Scan(
        kind=ScanKind.FUNDUS,
        pixels=pixels / np.float32(255),
        axial_um=float("nan"),
        lateral_um=float("nan"),
        geometry=FundusGeometry(view.temporal_is_right, view.superior_is_up),
        laterality=laterality,
        acquired_at=None,
        age_years=age_years,
        device=_DEVICE,
    )
    return FundusPhotograph(scan, view, eye)


def _aimed(
    eye: FundusEye, camera: Camera, laterality: Laterality, rng: np.random.Generator
) -> FundusView:
    aspect = float(rng.choice(_ASPECTS))
    rows, columns = camera.size_px, round(camera.size_px * aspect)
    temporal_is_right = temple_is_right(laterality)
    middle = rng.choice([_DISC_CENTRED, 0.5, _MACULA_CENTRED]) * np.array(eye.fovea_degree)
    middle = middle + rng.normal(0, _AIM_SD_DEGREE, 2)
    farthest = camera.field_degree / 2 - _ROOM_RADII * eye.disc_radius_degree
    middle *= min(1.0, farthest / max(float(np.hypot(*middle)), 1e-6))
    to_disc = -middle[0] if temporal_is_right else middle[0]
    return FundusView(
        rows=rows,
        columns=columns,
        disc_row=rows / 2 + middle[1] * camera.px_per_degree,
        disc_column=columns / 2 + to_disc * camera.px_per_degree,
        px_per_degree=camera.px_per_degree,
        temporal_is_right=temporal_is_right,
    )


def _from_middle(view: FundusView) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return each pixel's distance right of and above the middle, 1 at the edge of the field."""
    half = np.float32(view.rows / 2)
    row = (half - np.arange(view.rows, dtype=np.float32) - 0.5) / half
    column = (np.arange(view.columns, dtype=np.float32) + 0.5 - view.columns / 2) / half
    right, up = np.meshgrid(column, row)
    return right.astype(np.float32), up.astype(np.float32)


def _uneven(view: FundusView, camera: Camera) -> NDArray[np.float32]:
    right, up = _from_middle(view)
    fall = 1 - camera.vignetting * np.minimum(right**2 + up**2, 1.5) / 1.5
    return np.asarray(fall * np.exp(camera.tilt[0] * right + camera.tilt[1] * up), np.float32)


def _round_field(view: FundusView) -> NDArray[np.float32]:
    right, up = _from_middle(view)
    return (np.hypot(right, up) < 0.985).astype(np.float32)


def _through_jpeg(grey: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return the picture as a JPEG file of that quality keeps it."""
    bands = grey.shape[2]
    coded = io.BytesIO()
    Image.fromarray(grey if bands == 3 else grey[:, :, 0]).save(coded, "JPEG", quality=quality)
    decoded = np.asarray(Image.open(coded))
    return decoded if bands == 3 else decoded[:, :, np.newaxis]
