"""An estimated 24-2 visual field of one eye. An estimate, never a measurement."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class PredictionStatus(StrEnum):
    """How the scoring of an instance ended."""

    #: A field was estimated.
    FINAL = "final"
    #: The scan must not be scored; the reasons say why.
    NOT_ASSESSABLE = "not_assessable"
    #: Scoring broke after all attempts; the reasons say where.
    FAILED = "failed"
    #: A later prediction of the same scan replaces it.
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class ModelIdentity:
    """The model that made a prediction; the digest pins its weights."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True)
class FieldEstimate:
    """52 estimated sensitivities with an interval each, right-eye format.

    Attributes
    ----------
    sensitivities_db
        float32, shape (52,), 0 to 40 dB, in the order of locations 1 to 54 without 26 and 35.
    lower_db, upper_db
        float32, shape (52,): limits of the 90 % interval of each estimate.
    """

    sensitivities_db: NDArray[np.float32]
    lower_db: NDArray[np.float32]
    upper_db: NDArray[np.float32]


@dataclass(frozen=True)
class FieldDeviations:
    """How an estimated field differs from the age norm.

    Attributes
    ----------
    total_deviation_db, pattern_deviation_db
        float32, shape (52,), dB, right-eye format.
    mean_sensitivity_db, mean_deviation_db, pattern_standard_deviation_db
        Global indices. The last was built for measured fields and is not calibrated for estimates.
    """

    total_deviation_db: NDArray[np.float32]
    pattern_deviation_db: NDArray[np.float32]
    mean_sensitivity_db: float
    mean_deviation_db: float
    pattern_standard_deviation_db: float


#: The sentence that stands on every result.
ESTIMATE_NOTICE = (
    "Estimated from structure, not measured. Reference model trained on simulated structure paired "
    "with real, public visual-field patterns. Not clinically validated; not for clinical use."
)
