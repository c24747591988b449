"""Questions to a model, of ordinary eyes."""

from collections.abc import Sequence

import numpy as np

from core.perimetry.rnfl import normal_profile_um
from core.values.tensors import TensorQuestion


def build_question(
    ages_years: Sequence[float] = (60.0,), name: str = "retinervenet", version: str = "2.1.0"
) -> TensorQuestion:
    """Return a question about one healthy eye of each age."""
    profiles_um = np.stack([normal_profile_um(age) for age in ages_years]).astype(np.float32)
    return TensorQuestion(name, version, profiles_um, np.array(ages_years, np.float32))
