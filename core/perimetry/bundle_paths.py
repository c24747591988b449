"""The course of the nerve fibres on the retina, from the disc to each point of the 24-2 field.

Source: Jansonius et al. 2009 and 2012, the average course, as coded in the visualFields package. A
course here is an average of many eyes: where one eye's own bundle enters the disc has an anatomical
SD of about 9° (2009, 55 photographs), and more for points beside the disc.

Places are degrees on the retina of a right eye: the fovea at (0, 0), +x nasal, +y superior, so that
the upper field, which is seen by the lower retina, has negative y.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.nerve_fibres import ENTRY_ANGLES_DEGREE
from core.perimetry.pattern import X_DEGREE, Y_DEGREE

#: Centre of the disc in the model. In photographs it lies 15.5° (SD 0.9) nasal of the fovea and
#: 1.9° (SD 1.0) above it (Garway-Heath 2000).
DISC_X_DEGREE: Final = 15.0
DISC_Y_DEGREE: Final = 2.0
#: Radius of the circle on which profiles are measured and entry angles are counted.
CIRCLE_RADIUS_DEGREE: Final = 6.0
#: Anatomical SD of an entry angle, the mean over the disc (Jansonius 2009).
ENTRY_ANGLE_SD_DEGREE: Final = 8.8
#: Radius at which the courses of the model begin.
START_RADIUS_DEGREE: Final = 4.0

_SAMPLES: Final = 32
_FIRST_ANGLES_DEGREE: Final = np.linspace(-180.0, 180.0, 3601)
#: Ganglion cells lie outward of the receptors they serve, near the fovea up to 2° (Drasdo 2007).
_DISPLACEMENTS_DEGREE: Final = (-0.4, 2.5)
#: Steps in which a course is searched for its end.
_FINE_STEPS: Final = 400


def retina_places_degree() -> NDArray[np.float64]:
    """Return where the retina sees each of the 52 points, shape (52, 2), right eye."""
    return np.column_stack((X_DEGREE, -Y_DEGREE))


@cache
def bundle_paths_degree() -> NDArray[np.float64]:
    """Return the course of the fibres of each of the 52 points, read-only, shape (52, 32, 2).

    From 4° beside the disc's centre outward. A course crosses the 12° circle at the point's entry
    angle and ends at its ganglion cells, which near the fovea lie outward of the point itself.
    """
    paths = np.stack(
        [
            _path(angle, place)
            for angle, place in zip(ENTRY_ANGLES_DEGREE, retina_places_degree(), strict=True)
        ]
    )
    paths.setflags(write=False)
    return paths


def on_circle_degree(angles_degree: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the places on the 12° circle at these TSNIT angles, shape (n, 2), right eye."""
    turned = np.radians(angles_degree)
    x = DISC_X_DEGREE - CIRCLE_RADIUS_DEGREE * np.cos(turned)
    y = DISC_Y_DEGREE + CIRCLE_RADIUS_DEGREE * np.sin(turned)
    return np.column_stack((x, y))


def _path(entry_angle_degree: float, place: NDArray[np.float64]) -> NDArray[np.float64]:
    crossing = on_circle_degree(np.array([entry_angle_degree]))
    crossing_radius, crossing_angle = _to_polar(crossing)[0]
    first_angle = _first_angle(crossing_radius, crossing_angle)
    radius, angle = _to_polar(place[np.newaxis])[0]
    end = _end_radius(first_angle, place)
    if end is not None:
        radii = np.linspace(START_RADIUS_DEGREE, end, _SAMPLES)
        return _to_retina(radii, _angles(first_angle, radii))
    # Two points lie on a seam between two formulas; an older table gives their entry angles, and
    # no course of the formulas leads from there to them: the rest of the way is bent evenly.
    radii = np.linspace(START_RADIUS_DEGREE, radius, _SAMPLES)
    angles = _angles(first_angle, radii)
    beyond = np.clip((radii - crossing_radius) / (radius - crossing_radius), 0, 1)
    return _to_retina(radii, angles + beyond * (angle - angles[-1]))


def _first_angle(radius: float, angle_degree: float) -> float:
    """Return the angle at the disc of the course through a place, in the model's coordinates."""
    reached = _angles(_FIRST_ANGLES_DEGREE, radius)
    return float(np.interp(angle_degree, reached, _FIRST_ANGLES_DEGREE))


def _end_radius(first_angle: float, place: NDArray[np.float64]) -> float | None:
    """Return where a course reaches the cells of a place, None where it passes them by.

    They lie on the ray from the fovea through the place, at the place or a little beyond it.
    """
    radius = _to_polar(place[np.newaxis])[0][0]
    radii = np.linspace(START_RADIUS_DEGREE, 1.25 * radius, _FINE_STEPS)
    course = _to_retina(radii, _angles(first_angle, radii))
    distance = float(np.hypot(*place))
    along, across = course @ place / distance, course @ (place[1], -place[0]) / distance
    crosses = np.flatnonzero(across[:-1] * across[1:] <= 0)
    least, most = _DISPLACEMENTS_DEGREE
    near = [step for step in crosses if least <= along[step] - distance <= most]
    if not near:
        return None
    step = near[0]
    share = across[step] / (across[step] - across[step + 1])
    return float(radii[step] + share * (radii[step + 1] - radii[step]))


def _angles(
    first_angles: NDArray[np.float64] | float, radii: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return the angle of a course at each radius: 0 nasal, 90 superior, ±180 the fovea's side."""
    bends, powers = _shape(np.asarray(first_angles, np.float64))
    return np.asarray(first_angles + bends * (np.asarray(radii) - START_RADIUS_DEGREE) ** powers)


def _shape(first: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return b and c of the formula, which has two branches and a bridge on the nasal side."""
    upper, lower = np.tanh((first - 121) / 14), np.tanh((-first - 90) / 25)
    powers = np.where(first >= 0, 1.9 + 1.4 * upper, 1.0 + 0.5 * lower)
    arched = np.where(first >= 0, np.exp(-1.9 - 3.9 * upper), -np.exp(0.7 - 1.5 * lower))
    bridge = 0.00083 * first**2 + 0.020 * first - 2.65
    return np.where(np.abs(first) < 60, bridge, arched), powers


def _to_polar(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return radius and angle of places in the model's bent frame, shape (n, 2)."""
    x, y = places.T
    across, up = x - DISC_X_DEGREE, y - _bent(x)
    return np.column_stack((np.hypot(across, up), np.degrees(np.arctan2(up, across))))


def _to_retina(
    radii: NDArray[np.float64], angles_degree: NDArray[np.float64]
) -> NDArray[np.float64]:
    turned = np.radians(angles_degree)
    x = DISC_X_DEGREE + radii * np.cos(turned)
    return np.column_stack((x, radii * np.sin(turned) + _bent(x)))


def _bent(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far the model's frame is lifted: it puts the disc at the fovea's height."""
    return DISC_Y_DEGREE * np.square(np.maximum(x, 0.0) / DISC_X_DEGREE)
