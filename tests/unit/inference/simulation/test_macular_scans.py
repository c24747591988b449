import numpy as np
import pytest

from core.values.laterality import Laterality
from inference.simulation.macular_scans import simulate_macular_line


def inner_surface_row(pixels):
    """First row of each column where the retina begins, from a smoothed picture."""
    smooth = np.apply_along_axis(
        lambda row: np.convolve(row, np.ones(15) / 15, mode="same"), 1, pixels.astype(float)
    )
    return np.argmax(smooth > 100, axis=0)


@pytest.mark.parametrize("laterality", list(Laterality))
def test_macular_line_dips_at_the_fovea_and_thickens_towards_the_disc(laterality):
    pixels = simulate_macular_line(laterality, np.random.default_rng(1))

    surface = inner_surface_row(pixels)

    assert pixels.shape == (496, 768)
    rims = (surface[384 - 95], surface[384 + 95])
    assert surface[374:394].mean() > max(rims) + 15
    fibres = {"left": pixels[:, 60:160], "right": pixels[:, 608:708]}
    bright = {side: (part > 150).sum() for side, part in fibres.items()}
    nasal, temporal = ("right", "left") if laterality is Laterality.RIGHT else ("left", "right")
    assert bright[nasal] > 1.2 * bright[temporal]
