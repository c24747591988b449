"""Ophthalmic Tomography volumes for tests, with a picture that tells where each A-scan lies.

    build_volume_opt()                                  a right eye, 6 mm each way, with localizer
    build_volume_opt(laterality=Laterality.LEFT, bits=16)
    build_volume_opt(frame_order=[3, 0, ...])           frames in another order
    build_volume_opt(turn="column")                     A-scans the other way; "row": B-scans
    build_volume_opt(located=False, planes=True)        places from planes alone
    build_volume_opt(moved_mm={7: 0.09})                frames out of their place
    build_volume_opt(NumberOfFrames=3)                  any DICOM keyword; None leaves it out

The grey of the first row of each B-scan grows with the temporal place, of the second with the
superior place: `place_mm` reads them back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from core.values.laterality import Laterality
from sample_dicom.localizer_op import SPACING_MM, localizer_uid
from sample_dicom.oct_frames import OctFrame, OctFrames, oct_frames_image
from tests.builders.opt import build_study

ROWS: Final = 256
AXIAL_MM: Final = 0.005
#: Grey of one millimetre, and of the middle of the volume, as shares of white.
_GREY_A_MM: Final = 0.1
_MIDDLE_GREY: Final = 0.5
_MIDDLE_PIXEL: Final = 384.0


@dataclass(frozen=True)
class Field:
    """The size of a volume: B-scans, A-scans of each, and millimetres each way."""

    frames: int = 40
    columns: int = 100
    width_mm: float = 6.0
    height_mm: float = 6.0

    @property
    def places_mm(self) -> NDArray[np.float64]:
        """(patient's left, superior) of each A-scan about the middle: frames, columns, 2."""
        left = ((np.arange(self.columns) + 0.5) / self.columns - 0.5) * self.width_mm
        superior = (0.5 - (np.arange(self.frames) + 0.5) / self.frames) * self.height_mm
        return np.stack(np.broadcast_arrays(left, superior[:, None]), axis=-1)


USUAL_FIELD: Final = Field()


def build_volume_opt(
    *,
    laterality: Laterality = Laterality.RIGHT,
    field: Field = USUAL_FIELD,
    frame_order: Sequence[int] | None = None,
    turn: str = "",
    located: bool = True,
    planes: bool = False,
    moved_mm: Mapping[int, float] | None = None,
    turned_degree: float = 0.0,
    bits: int = 8,
    axial_mm: float = AXIAL_MM,
    lateral_mm: float | None = None,
    distance_mm: float | None = None,
    pattern: Code | None = None,
    age_years: float | None = 60.0,
    key: str = "test",
    **keywords: Any,
) -> Dataset:
    """Return a volume over the middle of the localizer of the same key and eye."""
    study = build_study(key, age_years)
    places_mm = field.places_mm
    for frame, millimetres in (moved_mm or {}).items():
        places_mm[frame, :, 1] += millimetres
    places_mm = _turned(places_mm, turn, turned_degree)
    order = range(field.frames) if frame_order is None else frame_order
    frames = [_frame(places_mm[frame], laterality, bits, located, planes) for frame in order]
    lateral = field.width_mm / field.columns if lateral_mm is None else lateral_mm
    scan = OctFrames(
        laterality=laterality,
        frames=frames,
        localizer_uid=localizer_uid(study, laterality),
        spacing_mm=(axial_mm, lateral),
        distance_mm=distance_mm,
        pattern=pattern,
    )
    dataset = oct_frames_image(study, scan)
    for keyword, value in keywords.items():
        setattr(dataset, keyword, value)
        if value is None:
            delattr(dataset, keyword)
    return dataset


def place_mm(pixels: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return (temporal, superior) in mm that B-scans of this builder show, last axis 2."""
    grey = np.stack((pixels[..., 0, :], pixels[..., 1, :]), axis=-1)
    return (grey.astype(np.float64) - _MIDDLE_GREY) / _GREY_A_MM


def _turned(places_mm: NDArray[np.float64], turn: str, degree: float) -> NDArray[np.float64]:
    if turn == "column":
        places_mm = places_mm[:, ::-1]
    if turn == "row":
        places_mm = places_mm[::-1]
    if turn == "vertical":
        places_mm = places_mm[..., ::-1]
    cosine, sine = np.cos(np.radians(degree)), np.sin(np.radians(degree))
    return np.asarray(places_mm @ np.array([[cosine, sine], [-sine, cosine]]), np.float64)


def _frame(
    places_mm: NDArray[np.float64], laterality: Laterality, bits: int, located: bool, planes: bool
) -> OctFrame:
    step_mm = (places_mm[-1] - places_mm[0]) / (len(places_mm) - 1)
    ends_mm = np.array((places_mm[0] - step_mm / 2, places_mm[-1] + step_mm / 2))
    coordinates = _MIDDLE_PIXEL + ends_mm[:, ::-1] * [-1, 1] / SPACING_MM
    along = step_mm / np.hypot(*step_mm)
    plane = np.array(
        [[places_mm[0, 0], 20.0, places_mm[0, 1]], [along[0], 0.0, along[1]], [0.0, 1.0, 0.0]]
    )
    return OctFrame(
        pixels=_pixels(places_mm, laterality, bits),
        coordinates=coordinates if located else None,
        plane=plane if planes else None,
    )


def _pixels(
    places_mm: NDArray[np.float64], laterality: Laterality, bits: int
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    temporal = places_mm[:, 0] * (-1 if laterality is Laterality.RIGHT else 1)
    grey = np.full((ROWS, len(places_mm)), _MIDDLE_GREY)
    grey[0] += _GREY_A_MM * temporal
    grey[1] += _GREY_A_MM * places_mm[:, 1]
    stored = np.round(grey * (2**bits - 1))
    if bits == 8:
        return np.asarray(stored, np.uint8)
    return np.asarray(stored, np.uint16)
