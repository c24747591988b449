"""Simulated photographs for the tests of everything that reads them."""

import numpy as np

from core.values.laterality import Laterality
from inference.simulation.eyes import simulate_eyes
from inference.simulation.fundus_cameras import Camera, CameraKind, draw_camera
from inference.simulation.fundus_eyes import FundusEye, draw_fundus_eye
from inference.simulation.fundus_photographs import FundusPhotograph, photograph
from inference.simulation.wedges import WedgePatterns

GOOD_CAMERA = Camera(
    kind=CameraKind.COLOUR,
    size_px=768,
    field_degree=45.0,
    blur_degree=0.04,
    noise=0.02,
    exposure=1.0,
    vignetting=0.2,
    tilt=(0.05, -0.05),
)


def make_eye(seed: int) -> FundusEye:
    rng = np.random.default_rng(seed)
    eyes = simulate_eyes(rng, 1, WedgePatterns())
    return draw_fundus_eye(rng, eyes.thickness_um[0], float(eyes.age_years[0]))


def take(
    seed: int, laterality: Laterality = Laterality.RIGHT, camera: Camera | None = None
) -> FundusPhotograph:
    """The same seed gives the same eye through the same camera; drawn where none is given."""
    rng = np.random.default_rng([seed, 1])
    return photograph(make_eye(seed), camera or draw_camera(rng), laterality, 60.0, rng)
