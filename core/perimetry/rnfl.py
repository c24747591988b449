"""The normal nerve fibre layer around the disc, for drawing beside a patient's and for simulation.

The curve is fitted to published sector means (Beijing Eye Study, Spectralis); its shape between the
sectors is this project's choice. The band is the spread of *simulated* healthy eyes. Neither is a
device's normative database, and neither may be used to call a patient's profile abnormal.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.profile import PROFILE_ANGLES_DEGREE

#: Loss of healthy thickness with age in µm per year, counted from `REFERENCE_AGE_YEARS`.
SLOPE_UM_PER_YEAR: Final = -0.2
REFERENCE_AGE_YEARS: Final = 60.0

BASE_UM: Final = 62.213


@dataclass(frozen=True)
class Bundle:
    """One arched bundle of the normal profile: a wrapped Gaussian over the TSNIT angle."""

    height_um: float
    centre_degree: float
    width_degree: float


SUPERIOR_BUNDLES: Final = (Bundle(81.395, 68.08, 20.717), Bundle(25.345, 105.301, 21.825))
INFERIOR_BUNDLES: Final = (Bundle(88.461, 293.381, 19.932), Bundle(39.014, 251.164, 31.102))

_BAND_TABLE: Final = Path(__file__).with_name("rnfl_band_768.csv")


def normal_profile_um(age_years: float) -> NDArray[np.float64]:
    """Return the mean thickness of healthy eyes of that age in µm, shape (768,), TSNIT."""
    bundles = (*SUPERIOR_BUNDLES, *INFERIOR_BUNDLES)
    at_reference = BASE_UM + sum(bundle_um(bundle, PROFILE_ANGLES_DEGREE) for bundle in bundles)
    return np.asarray(at_reference + _age_shift_um(age_years), dtype=np.float64)


def normal_band_um(age_years: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 5th and 95th percentile of simulated healthy eyes in µm, each (768,), TSNIT.

    A simulated spread, not a device's norm: it may be drawn, not used as a limit.
    """
    lower, upper = _band_at_reference_um()
    return lower + _age_shift_um(age_years), upper + _age_shift_um(age_years)


def bundle_um(bundle: Bundle, angles_degree: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what one bundle adds to the base at each TSNIT angle, in µm."""
    distance_degree = (angles_degree - bundle.centre_degree + 180) % 360 - 180
    return bundle.height_um * np.exp(-0.5 * (distance_degree / bundle.width_degree) ** 2)


def _age_shift_um(age_years: float) -> float:
    return SLOPE_UM_PER_YEAR * (age_years - REFERENCE_AGE_YEARS)


@cache
def _band_at_reference_um() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    with _BAND_TABLE.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lower = np.array([float(row["lower5_um_age60"]) for row in rows])
    upper = np.array([float(row["upper95_um_age60"]) for row in rows])
    return lower, upper
