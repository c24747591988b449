import numpy as np
import pytest

from inference.simulation.fundus_bundles import CIRCLE_RADIUS_DEGREE, circle_angles_degree

ANGLES = np.arange(5.0, 360.0, 10.0)


def apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.abs((first - second + 180) % 360 - 180)


def test_fibres_cross_the_circle_where_they_are_on_it() -> None:
    found = circle_angles_degree(np.full_like(ANGLES, CIRCLE_RADIUS_DEGREE), ANGLES)

    assert np.all(apart(found, ANGLES) < 0.6)


def test_fibres_run_nearly_straight_out_of_the_disc() -> None:
    found = circle_angles_degree(np.full_like(ANGLES, 2.5), ANGLES)

    assert np.all(apart(found, ANGLES) < 12)


@pytest.mark.parametrize(("angle", "arcade"), [(25.0, (40, 90)), (335.0, (270, 320))])
def test_fibres_beyond_the_fovea_come_from_the_arcades(
    angle: float, arcade: tuple[float, float]
) -> None:
    """Temporal of the fovea, above and below the raphe."""
    found = float(circle_angles_degree(np.array([22.0]), np.array([angle]))[0])

    assert arcade[0] < found < arcade[1]


def test_no_fibre_crosses_the_raphe() -> None:
    distance, angle = np.meshgrid(np.linspace(1, 25, 25), np.arange(4.0, 176.0, 4.0))

    upper = circle_angles_degree(distance, angle)

    assert np.all((upper <= 182) | (upper >= 358))
