"""Whatever a picture shows: a profile of 768 samples, and never a usable one from noise."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from core.values.laterality import Laterality
from core.values.scan import CircleGeometry, Device, Scan, ScanKind
from inference.preparation.prepare import prepare


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(64, 700),
    columns=st.integers(64, 900),
    axial_um=st.floats(1.5, 6.0),
    grain=st.floats(0, 20),
    gamma=st.floats(0.1, 5.0),
)
@example(seed=0, rows=64, columns=171, axial_um=4.0, grain=3.0, gamma=5.0)
def test_preparing_noise_gives_no_assessable_profile(
    seed: int, rows: int, columns: int, axial_um: float, grain: float, gamma: float
) -> None:
    noise = np.random.default_rng(seed).random((rows, columns))
    noise = ndimage.gaussian_filter(noise, grain)
    noise = ((noise - noise.min()) / np.ptp(noise)) ** gamma
    scan = Scan(
        kind=ScanKind.CIRCLE,
        pixels=noise.astype(np.float32),
        axial_um=axial_um,
        lateral_um=11310 / columns,
        geometry=CircleGeometry(np.arange(columns) * 360 / columns, 3.6),
        laterality=Laterality.LEFT,
        acquired_at=None,
        age_years=None,
        device=Device(),
    )

    profile = prepare(scan)

    assert profile.thickness_um.shape == (768,)
    assert not profile.quality.assessable
    assert profile.quality.reasons
