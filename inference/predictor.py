"""From thickness profiles to estimated fields. Knows no TensorFlow until a network is loaded."""

import os
from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from core.values.prediction import FIELD_POINTS, FieldEstimate, ModelIdentity
from core.values.profile import PROFILE_SAMPLES
from inference.errors import InputOutsideIntendedUse, PredictionFailed
from inference.model_card import ModelCard

#: What a perimeter can show, in dB.
SENSITIVITY_LIMITS_DB: Final = (0.0, 40.0)


class Network(Protocol):
    """What computes fields: here or on another machine."""

    def sensitivities_db(
        self, thickness_um: NDArray[np.float32], age_years: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the field in dB, shape (n, 52), for profiles (n, 768) in µm and ages (n,)."""
        ...


class Predictor:
    """Estimates fields with one model."""

    def __init__(self, card: ModelCard, network: Network) -> None:
        self.card = card
        self._network = network

    @classmethod
    def load(cls, card: ModelCard, device: str = "auto") -> Self:
        """Return a predictor that is warm: the first patient does not wait.

        Parameters
        ----------
        device
            `auto`, `cpu`, `gpu` or `gpu:N`.

        Raises
        ------
        ModelDamaged
            If the weights are not those the card describes.
        DeviceUnavailable
            If the device is not there.
        """
        card.verify_weights()
        # TensorFlow and Keras read these once, on import; a value set by the operator stands.
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        # Slower for a network this small, and its rounding differs from one processor to another.
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
        # Imported here: it costs seconds and half a gigabyte that readers of a card need not pay.
        from inference.tensorflow_runtime import TensorFlowNetwork  # noqa: PLC0415

        return cls(card, TensorFlowNetwork(card.weights_path, device))

    @property
    def identity(self) -> ModelIdentity:
        """Name, version and digest of the model."""
        return self.card.identity

    def predict(
        self, thickness_um: NDArray[np.float32], age_years: NDArray[np.float32]
    ) -> list[FieldEstimate]:
        """Return one estimated field per eye, in the order given, whatever the grouping.

        Parameters
        ----------
        thickness_um
            float32, shape (n, 768), TSNIT, the same frame for both eyes.
        age_years
            float32, shape (n,).

        Raises
        ------
        InputOutsideIntendedUse
            If an input has the wrong shape or is not a finite number.
        PredictionFailed
            If the network gave anything but 52 finite numbers per eye.
        """
        _check_inputs(thickness_um, age_years)
        if not len(age_years):
            return []
        raw_db = self._network.sensitivities_db(
            np.asarray(thickness_um, dtype=np.float32), np.asarray(age_years, dtype=np.float32)
        )
        if raw_db.shape != (len(age_years), FIELD_POINTS) or not np.all(np.isfinite(raw_db)):
            raise PredictionFailed(
                f"{self.card.name} {self.card.version} gave no finite field of {FIELD_POINTS} "
                "points for every eye of this batch."
            )
        return self._estimates(raw_db)

    def _estimates(self, raw_db: NDArray[np.float32]) -> list[FieldEstimate]:
        fields_db = np.clip(raw_db, *SENSITIVITY_LIMITS_DB)
        lower_db, upper_db = self.card.intervals.limits_db(fields_db)
        lower_db = np.clip(lower_db, *SENSITIVITY_LIMITS_DB)
        upper_db = np.clip(upper_db, *SENSITIVITY_LIMITS_DB)
        return [
            FieldEstimate(*limits) for limits in zip(fields_db, lower_db, upper_db, strict=True)
        ]


def _check_inputs(thickness_um: NDArray[np.float32], age_years: NDArray[np.float32]) -> None:
    if thickness_um.shape != (len(age_years), PROFILE_SAMPLES) or age_years.ndim != 1:
        raise InputOutsideIntendedUse(
            f"The model takes profiles of {PROFILE_SAMPLES} samples and one age each, not shapes "
            f"{thickness_um.shape} and {age_years.shape}."
        )
    if not (np.all(np.isfinite(thickness_um)) and np.all(np.isfinite(age_years))):
        raise InputOutsideIntendedUse(
            "A profile has missing samples or its age is unknown; neither may be filled in."
        )
