"""Simulated photographs of the fundus as DICOM objects: large enough to be prepared and scored.

build_fundus_photograph(Laterality.LEFT)               healthy, 60 years old
build_fundus_photograph(Laterality.RIGHT, thickness_um=profile, key="other")
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from core.perimetry.rnfl import normal_profile_um
from core.values.laterality import Laterality
from sample_dicom.fundus_eye import photograph_pixels, width_degree
from tests.builders.photograph import build_photograph


def build_fundus_photograph(
    laterality: Laterality, *, thickness_um: NDArray[np.floating] | None = None, **keywords: Any
) -> Dataset:
    """Return a clear colour photograph; keywords are those of `build_photograph`."""
    profile_um = normal_profile_um(60.0) if thickness_um is None else thickness_um
    pixels = _pixels(laterality, np.asarray(profile_um, np.float32).tobytes())
    scale = {"HorizontalFieldOfView": width_degree(pixels)}
    return build_photograph(laterality=laterality, pixels=pixels, **{**scale, **keywords})


@lru_cache(maxsize=16)
def _pixels(laterality: Laterality, thickness_um: bytes) -> NDArray[np.uint8]:
    profile_um = np.frombuffer(thickness_um, np.float32)
    return photograph_pixels(laterality, profile_um, 60.0, np.random.default_rng(7))
