"""Correlated Gaussian noise: around the disc's circle, and over the points of the field."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.pattern import X_DEGREE, Y_DEGREE
from core.values.prediction import FIELD_POINTS
from core.values.profile import PROFILE_SAMPLES

#: Over the field, noise is alike within this distance in degree, and less so across the midline,
#: where the fibres of the two halves part.
_FIELD_LENGTH_DEGREE: Final = 9.0
_ACROSS_MIDLINE: Final = 0.6


def circle_noise(rng: np.random.Generator, count: int, length_degree: float) -> NDArray[np.float32]:
    """Return unit-variance noise, shape (count, 768), smoothed by a Gaussian of that SD."""
    response = circle_response(length_degree)
    white = rng.standard_normal((count, PROFILE_SAMPLES), dtype=np.float32)
    smooth = np.fft.irfft(np.fft.rfft(white, axis=1) * response, n=PROFILE_SAMPLES, axis=1)
    # Mean square of the response; each frequency but the first and last stands for two.
    power = (2 * np.sum(response**2) - response[0] ** 2 - response[-1] ** 2) / PROFILE_SAMPLES
    return np.asarray(smooth / np.sqrt(power), dtype=np.float32)


def circle_response(length_degree: float) -> NDArray[np.float64]:
    """Return the frequency response, shape (385,), of a Gaussian of that SD on the circle."""
    cycles = np.fft.rfftfreq(PROFILE_SAMPLES, 1 / PROFILE_SAMPLES)
    return np.asarray(np.exp(-0.5 * (cycles * np.deg2rad(length_degree)) ** 2), dtype=np.float64)


def field_noise(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return unit-variance noise over the points, shape (count, 52), alike at neighbours."""
    return rng.standard_normal((count, FIELD_POINTS)) @ _field_root().T


@cache
def _field_root() -> NDArray[np.float64]:
    squared = (
        np.subtract.outer(X_DEGREE, X_DEGREE) ** 2 + np.subtract.outer(Y_DEGREE, Y_DEGREE) ** 2
    )
    covariance = np.exp(-0.5 * squared / _FIELD_LENGTH_DEGREE**2)
    covariance[np.multiply.outer(Y_DEGREE, Y_DEGREE) < 0] *= _ACROSS_MIDLINE
    # A trace of independent noise keeps the factorisation stable.
    covariance += 1e-6 * np.eye(FIELD_POINTS)
    return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
