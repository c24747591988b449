"""Which nerve fibres serve each point of the field, and where a page shows them.

Structure and function in one: the arc on the retina, the place on the profile with its anatomical
spread, and the columns of the B-scan. One tuple entry for each of the 52 points.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.dashboard.field_view import whole
from api.dashboard.profile_view import WIDTH
from core.perimetry.bundle_paths import (
    DISC_X_DEGREE,
    DISC_Y_DEGREE,
    ENTRY_ANGLE_SD_DEGREE,
    bundle_paths_degree,
    retina_places_degree,
)
from core.perimetry.nerve_fibres import ENTRY_ANGLES_DEGREE
from core.perimetry.pattern import LOCATIONS, mirror_sign
from core.perimetry.rnfl import normal_profile_um
from core.values.circle_course import CircleCourse
from core.values.laterality import Laterality
from core.values.prediction import Prediction
from core.values.profile import PROFILE_ANGLES_DEGREE, SECTOR_LIMITS_DEGREE

#: Columns of a picture that are more or fewer than one turn of the circle by this share are not
#: those that were measured.
_TURN_SHARE: Final = 0.02
#: Where a usual disc ends, as a share of the way from its centre to where the courses begin.
_DISC_SHARE: Final = 0.7


@dataclass(frozen=True)
class Span:
    """A stretch of a drawing's width: its left end and its width in the drawing's units."""

    x: float
    width: float


@dataclass(frozen=True)
class Bundle:
    """The fibres of one point.

    Attributes
    ----------
    location
        Of the point.
    sector
        Disc sector they enter: T, TS, NS, N, NI or TI, by the limits the profile is drawn with.
    entry_degree
        TSNIT angle at which they cross the circle, as written.
    arc
        Their course as an SVG path in degrees from the fovea, as people look into the eye.
    x, y
        Where the retina sees the point, in the same units.
    on_profile, on_bscan
        Where they cross the circle, one anatomical SD to both sides; in two pieces where that lies
        over the drawing's ends, empty where there is no such drawing.
    thickness_um, normal_um
        Mean of the profile and of the age's normal one over that stretch, as written.
    """

    location: int
    sector: str
    entry_degree: str
    arc: str
    x: float
    y: float
    on_profile: tuple[Span, ...]
    on_bscan: tuple[Span, ...]
    thickness_um: str
    normal_um: str


def bundles_of(prediction: Prediction, bscan_width: int | None) -> tuple[Bundle, ...]:
    """Return the fibres of each of the 52 points; empty where the eye is not known.

    Parameters
    ----------
    bscan_width
        Of the B-scan that is shown, in its pixels; None where none is.
    """
    eye = prediction.laterality
    if eye is None:
        return ()
    thickness = prediction.thickness_um
    normal = None if prediction.age_years is None else normal_profile_um(prediction.age_years)
    columns = zip(LOCATIONS, ENTRY_ANGLES_DEGREE, _arcs(eye), _seen(eye), strict=True)
    return tuple(
        Bundle(
            location=int(location),
            sector=sector_at(angle),
            entry_degree=f"{angle:.0f}",
            arc=arc,
            x=float(x),
            y=float(y),
            on_profile=() if thickness is None else _on_profile(angle),
            on_bscan=on_bscan(prediction.course, bscan_width, angle, ENTRY_ANGLE_SD_DEGREE),
            thickness_um=_mean_around(thickness, angle),
            normal_um=_mean_around(normal, angle),
        )
        for location, angle, arc, (x, y) in columns
    )


def sector_at(angle_degree: float) -> str:
    """Return the disc sector at a TSNIT angle."""
    return next(
        name
        for name, (first, last) in SECTOR_LIMITS_DEGREE.items()
        if (angle_degree - first) % 360 < last - first
    )


def on_bscan(
    course: CircleCourse | None, width: int | None, angle_degree: float, half_degree: float
) -> tuple[Span, ...]:
    """Return which columns of a B-scan lie around an angle; empty where that is not known."""
    if course is None or width is None:
        return ()
    turn = 360 / abs(course.step_degree)
    if abs(turn / width - 1) > _TURN_SHARE:
        return ()
    # From the end that comes first in the picture.
    towards = half_degree if course.step_degree < 0 else -half_degree
    first = course.column_of(angle_degree + towards) + 0.5
    return _wrapped(first % turn, 2 * half_degree / abs(course.step_degree), turn)


def _on_profile(angle_degree: float) -> tuple[Span, ...]:
    first = (angle_degree - ENTRY_ANGLE_SD_DEGREE) % 360 / 360 * WIDTH
    return _wrapped(first, 2 * ENTRY_ANGLE_SD_DEGREE / 360 * WIDTH, WIDTH)


def _wrapped(first: float, width: float, turn: float) -> tuple[Span, ...]:
    beyond = first + width - turn
    if beyond <= 0:
        return (Span(round(first, 1), round(width, 1)),)
    return Span(round(first, 1), round(turn - first, 1)), Span(0.0, round(beyond, 1))


def _seen(eye: Laterality) -> Sequence[tuple[float, float]]:
    sign = mirror_sign(eye)
    return [(sign * x, -y) for x, y in retina_places_degree().tolist()]


@cache
def _arcs(eye: Laterality) -> tuple[str, ...]:
    return tuple(_arc(path, eye) for path in bundle_paths_degree())


def _arc(path: NDArray[np.float64], eye: Laterality) -> str:
    """Return a course as an SVG path, led straight on from where it begins to the disc."""
    sign = mirror_sign(eye)
    disc = np.array((DISC_X_DEGREE, DISC_Y_DEGREE))
    edge = disc + _DISC_SHARE * (path[0] - disc)
    return "M" + "L".join(f"{sign * x:.1f} {-y:.1f}" for x, y in (edge, *path))


def _mean_around(profile_um: NDArray[np.floating] | None, angle_degree: float) -> str:
    if profile_um is None:
        return ""
    aside = np.abs((PROFILE_ANGLES_DEGREE - angle_degree + 180) % 360 - 180)
    return whole(float(np.mean(profile_um[aside <= ENTRY_ANGLE_SD_DEGREE])))
