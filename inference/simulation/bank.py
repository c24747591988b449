"""The bank of real total-deviation patterns (UWHVF), split so that no patient is in two parts."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.prediction import FIELD_POINTS
from inference.errors import TrainingDataInvalid


class Part(StrEnum):
    """What a patient's patterns may be used for."""

    #: Fitting the weights.
    TRAIN = "train"
    #: Deciding when to stop.
    VALIDATION = "validation"
    #: Setting the intervals.
    CALIBRATION = "calibration"
    #: The published figures.
    TEST = "test"


#: Upper limit of the patient's hash for each part. No version was ever trained on patients from 0.8
#: up, so that figures stay comparable.
_LIMITS: Final = {
    Part.TRAIN: 0.70,
    Part.VALIDATION: 0.72,
    Part.CALIBRATION: 0.80,
    Part.TEST: 1.0,
}

#: Knuth's multiplicative hash: spreads consecutive patient codes evenly, and never changes.
_MULTIPLIER: Final = 2654435761
_MODULUS: Final = 2**32

#: The bank keeps tenths of a dB.
_STEPS_PER_DB: Final = 10


@dataclass(frozen=True)
class PatternBank:
    """Total-deviation patterns of one part of the patients.

    Attributes
    ----------
    total_deviation_db
        float64, shape (eyes, 52), right-eye format.
    part
        The part its patients belong to.
    """

    total_deviation_db: NDArray[np.float64]
    part: Part

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Return that many patterns in dB, shape (count, 52), drawn with replacement."""
        return self.total_deviation_db[rng.integers(len(self.total_deviation_db), size=count)]


def read_bank(path: Path, part: Part) -> PatternBank:
    """Return the patterns of one part of the patients.

    Raises
    ------
    TrainingDataInvalid
        If the file is missing or does not hold such patterns.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            deviations = arrays["td"] / _STEPS_PER_DB
            codes = arrays["pat"].astype(np.uint64)
    except (OSError, KeyError, ValueError) as error:
        raise TrainingDataInvalid(
            f"{path.name} is not a bank of field patterns: {error}. It needs the arrays `td` and "
            "`pat`; see docs/model.md."
        ) from error
    if deviations.ndim != 2 or deviations.shape[1] != FIELD_POINTS:
        raise TrainingDataInvalid(f"{path.name} holds patterns of shape {deviations.shape}.")
    return PatternBank(deviations[part_of(codes) == part], part)


def part_of(patient_codes: NDArray[np.uint64]) -> NDArray[np.str_]:
    """Return the part of each patient: a stable rule of the code alone."""
    hashes = (patient_codes * np.uint64(_MULTIPLIER) % np.uint64(_MODULUS)) / _MODULUS
    index = np.searchsorted(list(_LIMITS.values()), hashes, side="right")
    return np.array([str(part) for part in _LIMITS])[index]
