"""From a profile or a photograph to an estimated field, by one model. Knows no network library."""

from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from core.values.prediction import FIELD_POINTS, FieldEstimate, ModelIdentity
from inference.errors import InputOutsideIntendedUse, PredictionFailed
from inference.model_card import ModelCard
from inference.precision import load_network
from inference.runtimes.compiled_network import DeviceUsed
from inference.runtimes.network import NetworkAnswer
from inference.runtimes.ports import AGE_INPUT

#: What a perimeter can show, in dB.
SENSITIVITY_LIMITS_DB: Final = (0.0, 40.0)


class AnsweringNetwork(Protocol):
    """What computes fields: here or on another machine."""

    @property
    def device_used(self) -> DeviceUsed:
        """Where it computes."""
        ...

    def answer(
        self, structure: NDArray[np.float32], age_years: NDArray[np.float32]
    ) -> NetworkAnswer:
        """Return the fields for the card's first input, (n, *its shape), and ages (n,)."""
        ...


class Predictor:
    """Estimates fields with one model."""

    def __init__(self, card: ModelCard, network: AnsweringNetwork) -> None:
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
            If the weights are not those the card describes, or are not safe to read.
        DeviceUnavailable
            If the device is not there.
        RuntimeUnavailable
            If the library that runs such a model is not installed.
        """
        card.verify_weights()
        return cls(card, load_network(card, device))

    @property
    def identity(self) -> ModelIdentity:
        """Name, version and digest of the model."""
        return self.card.identity

    @property
    def device_used(self) -> DeviceUsed:
        """Where the model really runs, and on which libraries."""
        return self._network.device_used

    def predict(
        self, structure: NDArray[np.float32], age_years: NDArray[np.float32]
    ) -> list[FieldEstimate]:
        """Return one estimated field per eye, in the order given, whatever the grouping.

        Parameters
        ----------
        structure
            float32, one example of the card's first input per eye: profiles (n, 768) in µm, TSNIT,
            or rings of photographs (n, angles, radii, channels). A last axis of one may be left
            out. The same frame for both eyes.
        age_years
            float32, shape (n,); not looked at where the model reads no age.

        Raises
        ------
        InputOutsideIntendedUse
            If an input has the wrong shape or is not a finite number.
        PredictionFailed
            If the network gave anything but 52 finite numbers per eye.
        """
        if not len(age_years):
            return []
        return self._estimates(self.answer(structure, age_years))

    def answer(
        self, structure: NDArray[np.float32], age_years: NDArray[np.float32]
    ) -> NetworkAnswer:
        """Return what the network itself says, finite but not held to what a perimeter shows.

        Parameters and errors are those of `predict`; at least one eye.
        """
        answer = self._network.answer(self._shaped(structure, age_years), age_years)
        self._check(answer, len(age_years))
        return answer

    def _shaped(
        self, structure: NDArray[np.float32], age_years: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        first, *others = self.card.inputs
        accepted = {first.shape} | ({first.shape[:-1]} if first.shape[-1] == 1 else set())
        if structure.shape[1:] not in accepted or age_years.shape != structure.shape[:1]:
            raise InputOutsideIntendedUse(
                f"{self._label} reads a {first.name} of {_size(first.shape)} and one age per eye, "
                f"not shapes {structure.shape} and {age_years.shape}."
            )
        needs_age = AGE_INPUT in {entry.name for entry in others}
        if not np.isfinite(structure).all() or (needs_age and not np.isfinite(age_years).all()):
            raise InputOutsideIntendedUse(
                f"A {first.name} has missing samples or its age is unknown; neither may be filled "
                "in."
            )
        return np.asarray(structure, np.float32).reshape(-1, *first.shape)

    def _check(self, answer: NetworkAnswer, eyes: int) -> None:
        field_db, spread_db = answer.sensitivities_db, answer.spread_db
        if field_db.shape != (eyes, FIELD_POINTS) or not np.isfinite(field_db).all():
            raise PredictionFailed(
                f"{self._label} gave no finite field of {FIELD_POINTS} points for every eye of "
                "this batch."
            )
        if spread_db is None:
            return
        if spread_db.shape != (eyes, FIELD_POINTS, 2) or not (
            np.isfinite(spread_db).all() and (spread_db > 0).all()
        ):
            raise PredictionFailed(
                f"{self._label} gave no finite, positive spread below and above every point of "
                "this batch."
            )

    @property
    def _label(self) -> str:
        return f"{self.card.name} {self.card.version}"

    def _estimates(self, answer: NetworkAnswer) -> list[FieldEstimate]:
        fields_db = np.clip(answer.sensitivities_db, *SENSITIVITY_LIMITS_DB)
        lower_db, upper_db = self.card.intervals.limits_db(fields_db, answer.spread_db)
        lower_db = np.clip(lower_db, *SENSITIVITY_LIMITS_DB)
        upper_db = np.clip(upper_db, *SENSITIVITY_LIMITS_DB)
        return [
            FieldEstimate(*limits) for limits in zip(fields_db, lower_db, upper_db, strict=True)
        ]


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
