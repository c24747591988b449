"""Eyes as a model reads them, and what it says of them: scoring without a scan or a patient."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.values.reason import Reason


@dataclass(frozen=True)
class TensorQuestion:
    """Eyes that one version of a model is asked about.

    Attributes
    ----------
    structure
        float32, shape (n, samples): the model's first input, one eye a row, its axes after the
        first laid flat. Thickness in µm, TSNIT, where it reads profiles.
    age_years
        float32, shape (n,); NaN where it is not told, which a model that reads no age takes.
    """

    model_name: str
    model_version: str
    structure: NDArray[np.float32]
    age_years: NDArray[np.float32]

    def __post_init__(self) -> None:
        rows = len(self.age_years)
        if self.structure.ndim != 2 or self.age_years.ndim != 1 or len(self.structure) != rows:
            raise ValueError(
                f"shapes {self.structure.shape} and {self.age_years.shape} are not (n, samples) "
                "and (n,)"
            )


@dataclass(frozen=True)
class TensorAnswer:
    """What a model says of the eyes of one question, in their order.

    Attributes
    ----------
    sensitivities_db
        float32, shape (n, 52), dB, right-eye order, as the network gave them: not held to what a
        perimeter shows. NaN in rows that must not be scored.
    spread_db
        float32, shape (n, 52, 2), dB: how far below and above typical measurements lie, NaN as
        above; None where the network does not say.
    unfit
        By row, counted from 0: why it must not be scored.
    """

    sensitivities_db: NDArray[np.float32]
    spread_db: NDArray[np.float32] | None = None
    unfit: Mapping[int, Reason] = field(default_factory=dict)
