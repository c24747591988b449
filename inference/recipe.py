"""How an ensemble is made and fitted: its members, and how much severe eyes count for each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from inference.fitting import Epoch, Examples, FitSettings, fit
from inference.intervals import INTERVAL_LEVEL
from inference.models.ensemble import (
    LIMITS_OUTPUT,
    Member,
    ensemble_of,
    member_names,
    training_view,
)
from inference.models.retinervenet import MEMBERS
from inference.simulation.eyes import SimulatedEyes

#: Errors up to this many dB count by their square, larger ones by their size: close to the median,
#: which the mean absolute error asks for, but smooth.
_HUBER_DB: Final = 1.0
#: Mean total deviation in dB from which an eye counts as fully severe, and the most beyond.
_SEVERE_DB: Final = -12.0
_MOST_SEVERE: Final = 1.5


@dataclass(frozen=True)
class Recipe:
    """An ensemble.

    Attributes
    ----------
    members
        Its networks.
    severity_weights
        For each member, how much more an eye with a mean deviation of -12 dB counts than one
        without loss; 0 counts all alike.
    """

    members: tuple[Member, ...]
    severity_weights: tuple[float, ...]

    def build(self, name: str) -> Any:
        """Return the untrained ensemble, from `profile` and `age` to field and spread."""
        return ensemble_of(self.members, name)

    def fit(
        self,
        network: Any,
        training: SimulatedEyes,
        validation: SimulatedEyes,
        settings: FitSettings,
        progress: Callable[[Epoch], None] | None = None,
    ) -> None:
        """Fit an ensemble of this recipe in place."""
        names = member_names(len(self.members))
        losses = dict.fromkeys(names, keras.losses.Huber(delta=_HUBER_DB))
        # Fitted to the true field: the noise of a measurement is nothing to learn; the limits are
        # those of a measurement. Validated against measurements, as a clinic would.
        examples = Examples(
            inputs_of(training),
            self._targets(training.true_db, training.measured_db),
            self._weights(training.mean_deviation_db),
        )
        held_back = Examples(
            inputs_of(validation), self._targets(validation.measured_db, validation.measured_db)
        )
        view = training_view(network, len(self.members))
        fit(view, {**losses, LIMITS_OUTPUT: _pinball}, examples, held_back, settings, progress)

    def _targets(self, field_db: Any, measured_db: Any) -> dict[str, Any]:
        names = member_names(len(self.members))
        return {**dict.fromkeys(names, field_db), LIMITS_OUTPUT: measured_db[:, :, np.newaxis]}

    def _weights(self, mean_deviation_db: NDArray[np.float32]) -> dict[str, Any]:
        severity = np.clip(mean_deviation_db / _SEVERE_DB, 0, _MOST_SEVERE)
        weights = {}
        for name, extra in zip(member_names(len(self.members)), self.severity_weights, strict=True):
            weight = 1 + extra * severity
            weights[name] = (weight / weight.mean()).astype(np.float32)
        return {**weights, LIMITS_OUTPUT: np.ones(len(severity), np.float32)}


#: The shipped reference model: three of the published network, with more and more weight on the
#: rare severe eyes.
RETINERVENET: Final = Recipe(MEMBERS, (0.0, 0.2, 0.4))


def inputs_of(eyes: SimulatedEyes) -> list[Any]:
    """Return what the networks read of eyes: profiles (n, 768, 1) in µm and ages (n, 1)."""
    return [eyes.thickness_um[:, :, np.newaxis], eyes.age_years[:, np.newaxis]]


def _pinball(measured_db: Any, limits_db: Any) -> Any:
    """Return the loss whose best limits leave half of what may lie outside beyond each."""
    tail = (1 - INTERVAL_LEVEL) / 2
    shares = keras.ops.convert_to_tensor([tail, 1 - tail], dtype="float32")
    beyond = measured_db - limits_db
    return keras.ops.mean(keras.ops.maximum(shares * beyond, (shares - 1) * beyond))
