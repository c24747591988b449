"""Lines and circles in one Ophthalmic Tomography object, as one device writes scans of the disc.

    build_mixed_opt()                            24 radial lines and circles of 12, 14 and 16 degree
    build_mixed_opt(radials=0)                   concentric circles alone
    build_mixed_opt(mm_a_degree=0.26)            a short eye
    build_mixed_opt(circle_first=True)           the circles before the lines

Every frame has its own Pixel Measures. The grey of a circle is its number, the smallest one 1, over
10; lines are black.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from core.values.laterality import Laterality
from sample_dicom.localizer_op import localizer_uid
from sample_dicom.oct_frames import CIRCLE_RADIAL_PATTERN, OctFrame, OctFrames, oct_frames_image
from tests.builders.opt import build_study

CIRCLES_DEGREE: Final = (12.0, 14.0, 16.0)
COLUMNS: Final = 768
AXIAL_MM: Final = 0.003872
#: A localizer of 768 pixels over 30 degree.
PIXEL_DEGREE: Final = 30.0 / 768
_RADIAL_DEGREE: Final = 15.0
_MIDDLE_PIXEL: Final = 384.0
_ROWS: Final = 496


def build_mixed_opt(
    *,
    laterality: Laterality = Laterality.RIGHT,
    radials: int = 24,
    mm_a_degree: float = 0.3,
    circle_first: bool = False,
    pattern: Code | None = CIRCLE_RADIAL_PATTERN,
    key: str = "test",
) -> Dataset:
    """Return one object of lines and circles around the middle of its localizer."""
    study = build_study(key)
    lines = [_line(number * 180.0 / max(radials, 1), mm_a_degree) for number in range(radials)]
    # The largest first: the usual one is not just the first.
    circles = [
        _circle(number, degree, mm_a_degree)
        for number, degree in reversed(list(enumerate(CIRCLES_DEGREE, start=1)))
    ]
    scan = OctFrames(
        laterality=laterality,
        frames=[*circles, *lines] if circle_first else [*lines, *circles],
        localizer_uid=localizer_uid(study, laterality),
        pattern=pattern,
    )
    return oct_frames_image(study, scan)


def _line(angle_degree: float, mm_a_degree: float) -> OctFrame:
    half = _RADIAL_DEGREE / 2 / PIXEL_DEGREE
    up, right = np.sin(np.radians(angle_degree)), np.cos(np.radians(angle_degree))
    coordinates = _MIDDLE_PIXEL + half * np.array([[up, -right], [-up, right]])
    spacing_mm = AXIAL_MM, _RADIAL_DEGREE * mm_a_degree / COLUMNS
    return OctFrame(_grey(0), coordinates, spacing_mm)


def _circle(number: int, degree: float, mm_a_degree: float) -> OctFrame:
    radian = np.arange(COLUMNS) * 2 * np.pi / COLUMNS
    course = np.column_stack((-np.sin(radian), np.cos(radian)))
    coordinates = _MIDDLE_PIXEL + degree / 2 / PIXEL_DEGREE * course
    return OctFrame(_grey(number), coordinates, (AXIAL_MM, np.pi * degree * mm_a_degree / COLUMNS))


def _grey(number: int) -> NDArray[np.uint8]:
    return np.full((_ROWS, COLUMNS), round(number * 25.5), np.uint8)
