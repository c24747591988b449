"""One model at work: whom it may judge, and what it estimates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.values.prediction import FieldEstimate, ModelIdentity
from core.values.reason import Reason, ReasonCode
from inference.examination import Examination
from inference.executors.executor import Executor
from inference.gating import gate_of, gated
from inference.model_card import ModelCard, ModelKind
from inference.predictor import Predictor
from inference.profile_gate import ProfileGate


@dataclass(frozen=True)
class Scorer:
    """A model with the limits of its card.

    Attributes
    ----------
    gate
        What knows the profiles the model was made for; None lets every one in.
    """

    predictor: Predictor
    gate: ProfileGate | None = None

    @classmethod
    def load(cls, card: ModelCard, device: str) -> Self:
        """Return the model, warm.

        Parameters and errors are those of `Predictor.load`.
        """
        return cls(Predictor.load(card, device), gate_of(card))

    @classmethod
    def on(cls, executor: Executor, card: ModelCard) -> Self:
        """Return the model, warm, on what computes.

        Raises
        ------
        ModelDamaged
            If its files are not those the card describes.
        NodeError
            As `Executor.network`.
        """
        card.verify_weights()
        return cls(Predictor(card, executor.network(card)), gate_of(card))

    @property
    def card(self) -> ModelCard:
        """What is known of the model."""
        return self.predictor.card

    @property
    def kind(self) -> ModelKind:
        """What it reads."""
        return self.card.kind

    @property
    def identity(self) -> ModelIdentity:
        """Name, version and digest, for every prediction."""
        return self.card.identity

    def judged(self, examinations: Sequence[Examination]) -> list[Examination]:
        """Return the examinations, in order, with this model's own reasons against scoring them."""
        within = [self._within_ages(examination) for examination in examinations]
        return gated(self.gate, within)

    def estimate(self, examinations: Sequence[Examination]) -> list[FieldEstimate | None]:
        """Return one field per examination, in order; None for those that must not be scored."""
        inputs = [examination.input for examination in examinations]
        ready = [found for found in inputs if found is not None]
        if not ready:
            return [None] * len(inputs)
        structures = np.stack([structure for structure, _ in ready])
        ages_years = np.array([age for _, age in ready], np.float32)
        estimates = iter(self.predictor.predict(structures, ages_years))
        return [None if found is None else next(estimates) for found in inputs]

    def unfit(
        self, structure: NDArray[np.float32], age_years: NDArray[np.float32]
    ) -> list[Reason | None]:
        """Return why each eye must not be scored, None where it may.

        Parameters
        ----------
        structure
            float32, shape (n, *shape of the card's first input).
        age_years
            float32, shape (n,); not looked at where the card names no age.
        """
        reads_age = len(self.card.inputs) > 1
        reasons = [self._reason_of_age(age) if reads_age else None for age in age_years.tolist()]
        if self.gate is None:
            return reasons
        unlike = self.gate.judge(structure.reshape(len(structure), -1))
        return [by_age or by_form for by_age, by_form in zip(reasons, unlike, strict=True)]

    def _within_ages(self, examination: Examination) -> Examination:
        found = examination.input
        reason = None if found is None else self._reason_of_age(found[1])
        return examination if reason is None else replace(examination, reasons=(reason,))

    def _reason_of_age(self, age_years: float) -> Reason | None:
        youngest, oldest = self.card.trained_age_range_years
        if youngest <= age_years <= oldest:
            return None
        message = (
            f"The model is meant for ages from {youngest:.0f} to {oldest:.0f} years and this "
            "patient was outside them at the scan: the field cannot be estimated."
        )
        return Reason(ReasonCode.OUTSIDE_INTENDED_USE, message)
