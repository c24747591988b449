import numpy as np
import pytest

from core.values.profile import PROFILE_ANGLES_DEGREE
from inference.preparation.circle_sampling import sample_circle


def course(angles_degree: np.ndarray) -> np.ndarray:
    return 100 + 30 * np.sin(np.radians(angles_degree)) + 10 * np.cos(2 * np.radians(angles_degree))


@pytest.mark.parametrize("columns", [360, 768, 1536])
@pytest.mark.parametrize("start_degree", [0.0, 0.2, 137.0, 359.9])
@pytest.mark.parametrize("direction", [1, -1])
def test_circle_sampling_gives_the_thickness_at_each_tsnit_angle(
    columns: int, start_degree: float, direction: int
) -> None:
    angles = (start_degree + direction * np.arange(columns) * 360 / columns) % 360

    sampled = sample_circle(course(angles), angles)

    np.testing.assert_allclose(sampled, course(PROFILE_ANGLES_DEGREE), atol=0.02)
    assert (sampled.dtype, sampled.shape) == (np.float32, (768,))
