"""Nerve fibre profiles of the samples: a healthy eye of that age, thinned in wedges of the disc."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.rnfl import REFERENCE_AGE_YEARS, normal_profile_um
from core.values.profile import PROFILE_ANGLES_DEGREE, PROFILE_SAMPLES
from inference.simulation.smooth_noise import smooth_noise

#: What remains where every nerve fibre is lost, as share of the healthy thickness and in µm:
#: glia and vessels, which no OCT tells from fibres.
FLOOR_SHARE: Final = 0.33
FLOOR_LIMITS_UM: Final = (35.0, 42.0)

#: Angle over which the edge of a wedge fades, in degree.
EDGE_DEGREE: Final = 5.0

#: How healthy eyes differ from their mean: local share, correlated over that many samples.
HEALTHY_SPREAD: Final = 0.04
HEALTHY_LENGTH_SAMPLES: Final = 26


@dataclass(frozen=True)
class Wedge:
    """Nerve fibres lost between two angles of the disc.

    Attributes
    ----------
    centre_degree
        TSNIT angle of the middle.
    width_degree
        From edge to edge; 400 and more is the whole disc, faded edges included.
    loss
        Share of the fibres that is lost, 0 to 1.
    """

    centre_degree: float
    width_degree: float
    loss: float


def surviving_share(wedges: Sequence[Wedge]) -> NDArray[np.float64]:
    """Return the share of fibres left at each sample of the profile, shape (768,), 0 to 1."""
    share = np.ones(PROFILE_SAMPLES)
    for wedge in wedges:
        distance_degree = np.abs((PROFILE_ANGLES_DEGREE - wedge.centre_degree + 180) % 360 - 180)
        outside = np.clip((distance_degree - wedge.width_degree / 2) / EDGE_DEGREE, -30, 30)
        share *= 1 - wedge.loss / (1 + np.exp(outside))
    return share


def sample_profile_um(
    age_years: float | None, wedges: Sequence[Wedge], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the thickness in µm, shape (768,), TSNIT, of an eye that lost these wedges.

    The eye of a patient of unknown age is as thick as at the norm's reference age.
    """
    age_years = REFERENCE_AGE_YEARS if age_years is None else age_years
    spread = smooth_noise(rng, (PROFILE_SAMPLES,), HEALTHY_LENGTH_SAMPLES)
    healthy_um = normal_profile_um(age_years) * (1 + HEALTHY_SPREAD * spread)
    floor_um = np.clip(FLOOR_SHARE * healthy_um, *FLOOR_LIMITS_UM)
    return np.asarray(floor_um + (healthy_um - floor_um) * surviving_share(wedges))
