"""Rings of simulated eyes without the photograph around them: what a network is trained on."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.fundus import FUNDUS_SHAPE
from inference.preparation.fundus_patch import DISC_RADIUS_PX, PATCH_PX, FundusPatch
from inference.preparation.fundus_ring import unroll
from inference.simulation.fundus_cameras import Camera, CameraKind, draw_camera, expose
from inference.simulation.fundus_eyes import FundusEye, draw_fundus_eye
from inference.simulation.fundus_view import FundusView

#: How far the disc found in a photograph lies off, in disc radii, and how wrong its size is (log).
_CENTRE_SD: Final = 0.06
_SIZE_SD: Final = 0.06
#: What evening the light leaves uneven, from the middle to the edge of a patch (log).
_TILT_SD: Final = 0.03
#: Discs near the edge of the field: how often, and how much of the patch is cut.
_CUT_SHARE: Final = 0.08
_MOST_CUT: Final = 0.2


def simulate_rings(
    rng: np.random.Generator, thickness_um: NDArray[np.float32], age_years: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Return the ring of one photograph of each eye, float32, shape (n, 128, 24, 4).

    Parameters
    ----------
    thickness_um
        Shape (n, 768), TSNIT.
    """
    rings = np.empty((len(age_years), *FUNDUS_SHAPE), np.float32)
    for index, age in enumerate(age_years):
        eye = draw_fundus_eye(rng, thickness_um[index], float(age))
        rings[index] = simulate_ring(eye, draw_camera(rng), rng)
    return rings


def simulate_ring(eye: FundusEye, camera: Camera, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the ring of a photograph of that eye, found about as well as in a whole one."""
    radius_px = DISC_RADIUS_PX * float(np.exp(rng.normal(0, _SIZE_SD)))
    offset = rng.normal(0, _CENTRE_SD * DISC_RADIUS_PX, 2)
    view = FundusView(
        rows=PATCH_PX,
        columns=PATCH_PX,
        disc_row=PATCH_PX / 2 + float(offset[0]),
        disc_column=PATCH_PX / 2 + float(offset[1]),
        px_per_degree=radius_px / eye.disc_radius_degree,
        temporal_is_right=True,
    )
    if camera.kind is CameraKind.COLOUR:
        # Of a colour photograph only the green is read.
        camera = replace(camera, kind=CameraKind.RED_FREE)
    light = expose(eye, view, camera, rng)[:, :, 0]
    ramp = (np.arange(PATCH_PX, dtype=np.float32) * 2 / PATCH_PX) - 1
    across, down = rng.normal(0, _TILT_SD, 2)
    uneven = np.exp(across * ramp[np.newaxis] + down * ramp[:, np.newaxis])
    return unroll(FundusPatch(np.asarray(light * uneven, np.float32), _seen(rng)))


def _seen(rng: np.random.Generator) -> NDArray[np.float32]:
    seen = np.ones((PATCH_PX, PATCH_PX), np.float32)
    if rng.random() < _CUT_SHARE:
        edge = int(PATCH_PX * (1 - rng.uniform(0, _MOST_CUT)))
        seen = np.rot90(np.where(np.arange(PATCH_PX) < edge, seen, 0), int(rng.integers(4)))
    return np.ascontiguousarray(seen, np.float32)
