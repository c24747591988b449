import numpy as np
import pytest
from numpy.typing import NDArray

from core.perimetry.bundle_paths import (
    CIRCLE_RADIUS_DEGREE,
    DISC_X_DEGREE,
    DISC_Y_DEGREE,
    START_RADIUS_DEGREE,
    bundle_paths_degree,
    on_circle_degree,
    retina_places_degree,
)
from core.perimetry.nerve_fibres import ENTRY_ANGLES_DEGREE
from core.perimetry.pattern import LOCATIONS, X_DEGREE, Y_DEGREE

#: Lies within the circle, so that its fibres cross none.
_WITHIN_THE_CIRCLE = 34
#: Lie on the seam of two formulas, where an older table gives the entry angle.
_ON_THE_SEAM = (10, 18)


def _from_disc(places: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hypot(places[:, 0] - DISC_X_DEGREE, places[:, 1] - DISC_Y_DEGREE)


def _crossing_degree(path: NDArray[np.float64]) -> float:
    """Return the TSNIT angle at which a course first crosses the 12° circle."""
    distances = _from_disc(path)
    (steps,) = np.nonzero((distances[:-1] < CIRCLE_RADIUS_DEGREE) != (distances[1:] < 6))
    step = steps[0]
    share = (CIRCLE_RADIUS_DEGREE - distances[step]) / (distances[step + 1] - distances[step])
    x, y = path[step] + share * (path[step + 1] - path[step])
    return float(np.degrees(np.arctan2(y - DISC_Y_DEGREE, DISC_X_DEGREE - x)) % 360)


def test_retina_sees_the_upper_field_below_and_the_temporal_field_nasally() -> None:
    places = retina_places_degree()

    assert np.array_equal(places[:, 0], X_DEGREE)
    assert np.array_equal(places[:, 1], -Y_DEGREE)


def test_paths_cross_the_circle_at_the_entry_angles() -> None:
    crossing = [index for index, name in enumerate(LOCATIONS) if name != _WITHIN_THE_CIRCLE]

    angles = np.array([_crossing_degree(bundle_paths_degree()[index]) for index in crossing])

    aside = (angles - ENTRY_ANGLES_DEGREE[crossing] + 180) % 360 - 180
    assert np.abs(aside).max() < 0.3


def test_paths_end_at_the_cells_of_their_points() -> None:
    ends, places = bundle_paths_degree()[:, -1], retina_places_degree()
    eccentricity = np.hypot(*places.T)

    displaced = np.hypot(*ends.T) - eccentricity
    aside = np.abs(ends[:, 0] * places[:, 1] - ends[:, 1] * places[:, 0]) / eccentricity

    assert aside.max() < 0.1
    assert displaced[eccentricity > 13].max() < 0.3
    assert displaced.min() > -0.3
    # Henle's fibres: the cells of the four points around the fovea lie 1.2 to 1.6° outward.
    central = eccentricity < 5
    assert central.sum() == 4
    assert displaced[central].min() > 1.1
    assert displaced[central].max() < 1.6


def test_paths_begin_beside_the_disc_and_go_on_without_a_jump() -> None:
    for path in bundle_paths_degree():
        steps = np.hypot(*np.diff(path, axis=0).T)

        assert _from_disc(path[:1])[0] == pytest.approx(START_RADIUS_DEGREE, abs=1.2)
        assert steps.max() < 2.5


def test_paths_stay_in_their_half_of_the_retina() -> None:
    for path, (_, y) in zip(bundle_paths_degree(), retina_places_degree(), strict=True):
        temporal_of_fovea = path[path[:, 0] < 0]

        assert np.all(temporal_of_fovea[:, 1] * y > 0)


def test_fibres_of_neighbours_across_the_horizontal_midline_part_widely() -> None:
    places = retina_places_degree()
    nasal_step = (places[:, 0] == -21) & (np.abs(places[:, 1]) == 3)

    upper, lower = bundle_paths_degree()[nasal_step][:, :, 1]

    assert np.ptp((upper.max(), lower.min(), upper.min(), lower.max())) > 20


def test_places_on_the_circle_run_from_temporal_over_superior() -> None:
    temporal, superior, nasal, inferior = on_circle_degree(np.array([0.0, 90.0, 180.0, 270.0]))

    assert temporal == pytest.approx((9, 2))
    assert superior == pytest.approx((15, 8))
    assert nasal == pytest.approx((21, 2))
    assert inferior == pytest.approx((15, -4))


def test_points_on_the_seam_are_reached_all_the_same() -> None:
    for name in _ON_THE_SEAM:
        (index,) = np.flatnonzero(name == LOCATIONS)

        assert bundle_paths_degree()[index, -1] == pytest.approx(retina_places_degree()[index])
