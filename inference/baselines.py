"""What a model must beat: predictors that know little or nothing of the eye in front of them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.norms import norms_db
from core.values.profile import PROFILE_SAMPLES
from inference.simulation.eyes import SimulatedEyes
from inference.simulation.measurement import MEASURED_LIMITS_DB

#: Mean thickness in this many places is what the ridge sees, beside the age.
_PLACES: Final = 128
_PENALTY: Final = 10.0


@dataclass(frozen=True)
class Ridge:
    """A penalised linear map from profile and age to the field.

    Attributes
    ----------
    centre, scale
        float64, shape (129,): of the features.
    weights
        float64, shape (129, 52), dB per standardised feature.
    mean_db
        float64, shape (52,).
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    mean_db: NDArray[np.float64]

    def predict(self, eyes: SimulatedEyes) -> NDArray[np.float64]:
        """Return the field of each eye in dB, shape (n, 52)."""
        features = (_features(eyes) - self.centre) / self.scale
        lowest_db, highest_db = MEASURED_LIMITS_DB
        return np.clip(features @ self.weights + self.mean_db, lowest_db, highest_db)


def fit_ridge(eyes: SimulatedEyes) -> Ridge:
    """Return the ridge fitted to the measured fields of these eyes."""
    features = _features(eyes)
    centre, scale = features.mean(axis=0), features.std(axis=0)
    standardised = (features - centre) / scale
    mean_db = eyes.measured_db.mean(axis=0, dtype=np.float64)
    gram = standardised.T @ standardised + _PENALTY * np.eye(features.shape[1])
    weights = np.linalg.solve(gram, standardised.T @ (eyes.measured_db - mean_db))
    return Ridge(centre, scale, weights, mean_db)


def location_mean(training: SimulatedEyes, eyes: SimulatedEyes) -> NDArray[np.float64]:
    """Return the same field for every eye: the mean of each location, shape (n, 52), dB."""
    mean_db = training.measured_db.mean(axis=0, dtype=np.float64)
    return np.broadcast_to(mean_db, eyes.measured_db.shape)


def age_norm(eyes: SimulatedEyes) -> NDArray[np.float64]:
    """Return the healthy field of each eye's age in dB, shape (n, 52)."""
    return norms_db(eyes.age_years)


def _features(eyes: SimulatedEyes) -> NDArray[np.float64]:
    places = eyes.thickness_um.reshape(len(eyes), _PLACES, PROFILE_SAMPLES // _PLACES)
    return np.column_stack([places.mean(axis=2), eyes.age_years]).astype(np.float64)
