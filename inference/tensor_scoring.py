"""The step that lets a model score tensors that came without a scan."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from core import ledger
from core.database import Database
from core.errors import NodeError, RecordNotFound
from core.ledger import Claim, LeaseLost
from core.logs import get_logger
from core.tables.jobs import JobKind
from core.tensor_scores import load_question, record_answer, record_failure, record_refusal
from core.values.prediction import FIELD_POINTS
from core.values.reason import Reason
from core.values.tensors import TensorAnswer, TensorQuestion
from inference.errors import (
    DeviceUnavailable,
    InputOutsideIntendedUse,
    ModelDamaged,
    ModelNotFound,
    RuntimeUnavailable,
)
from inference.model_card import ModelCard
from inference.runtimes.network import NetworkAnswer
from inference.runtimes.ports import AGE_INPUT
from inference.scorer import Scorer
from inference.tensor_models import TensorModels

#: Questions that are taken together.
GROUP_SIZE: Final = 16
#: What asking again does not help.
_REFUSALS: Final = (
    InputOutsideIntendedUse,
    ModelNotFound,
    ModelDamaged,
    DeviceUnavailable,
    RuntimeUnavailable,
)

_log = get_logger(__name__)


def answer_tensors(scorer: Scorer, questions: Sequence[TensorQuestion]) -> list[TensorAnswer]:
    """Return what one model says of the eyes of some questions, computed together.

    Eyes the model was not made for, by age or by form, are not scored; the answer says which.

    Raises
    ------
    InputOutsideIntendedUse
        If a question has not the shape of the model's inputs, or anything but finite numbers.
    PredictionFailed
        If the network gave anything but 52 finite numbers an eye.
    """
    structures = np.concatenate([_shaped(scorer.card, question) for question in questions])
    ages_years = np.concatenate([question.age_years for question in questions])
    unfit = scorer.unfit(structures, ages_years)
    fit = np.array([reason is None for reason in unfit])
    computed = None
    if fit.any():
        computed = scorer.predictor.answer(structures[fit], ages_years[fit])
    bounds = np.cumsum([0, *(len(question.age_years) for question in questions)])
    spread = _spread(computed, fit)
    return [
        TensorAnswer(
            _placed(computed, fit)[start:end],
            None if spread is None else spread[start:end],
            _by_row(unfit[start:end]),
        )
        for start, end in pairwise(bounds)
    ]


@dataclass(frozen=True)
class TensorScoreStep:
    """Answers questions; those to one model are computed together."""

    database: Database
    models: TensorModels
    kind: JobKind = JobKind.SCORE_TENSORS
    group_size: int = GROUP_SIZE

    def run(self, claims: Sequence[Claim]) -> None:
        """Answer each claimed question, and record the answer with its job."""
        asked: dict[tuple[str, str], list[tuple[Claim, TensorQuestion]]] = {}
        for claimed, question in self._read(claims):
            of_model = (question.model_name, question.model_version)
            asked.setdefault(of_model, []).append((claimed, question))
        for (name, version), some in asked.items():
            self._answer(name, version, some)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Tell whoever waits that there will be no answer."""
        record_failure(session, claim.subject, error)

    def _read(self, claims: Sequence[Claim]) -> Iterator[tuple[Claim, TensorQuestion]]:
        for claimed in claims:
            try:
                with self.database.reading() as session:
                    question = load_question(session, claimed.subject)
            except RecordNotFound:
                # Whoever asked has gone.
                self._finish(claimed)
                continue
            yield claimed, question

    def _answer(
        self, name: str, version: str, asked: Sequence[tuple[Claim, TensorQuestion]]
    ) -> None:
        try:
            scorer = self.models.scorer(name, version)
        except _REFUSALS as error:
            for claimed, _ in asked:
                self._refuse(claimed, error)
            return
        fitting = [pair for pair in asked if self._takes(scorer, *pair)]
        if not fitting:
            return
        answers = answer_tensors(scorer, [question for _, question in fitting])
        for (claimed, _), answer in zip(fitting, answers, strict=True):
            self._finish(claimed, answer)

    def _takes(self, scorer: Scorer, claimed: Claim, question: TensorQuestion) -> bool:
        """Whether a model takes a question; refuses it where not, so that others are answered."""
        try:
            _shaped(scorer.card, question)
        except InputOutsideIntendedUse as error:
            self._refuse(claimed, error)
            return False
        return True

    def _refuse(self, claimed: Claim, error: NodeError) -> None:
        with self.database.transaction() as session:
            record_refusal(session, claimed.subject, str(error))
            ledger.finish(session, claimed)

    def _finish(self, claimed: Claim, answer: TensorAnswer | None = None) -> None:
        try:
            with self.database.transaction() as session:
                if answer is not None:
                    record_answer(session, claimed.subject, answer)
                ledger.finish(session, claimed)
        except LeaseLost:
            # Removed with its question, or another worker has it.
            _log.info("question_left", job=claimed.job_id)


def _shaped(card: ModelCard, question: TensorQuestion) -> NDArray[np.float32]:
    """Return the structures of a question as the model reads them."""
    first, *others = card.inputs
    samples = int(np.prod(first.shape))
    label = f"{card.name} {card.version}"
    if question.structure.shape[1] != samples:
        raise InputOutsideIntendedUse(
            f"{label} reads a {first.name} of {samples} samples, not {question.structure.shape[1]}"
        )
    reads_age = AGE_INPUT in {entry.name for entry in others}
    if not np.isfinite(question.structure).all() or (
        reads_age and not np.isfinite(question.age_years).all()
    ):
        raise InputOutsideIntendedUse(
            f"{label} reads a {first.name}{' and an age' if reads_age else ''} of finite numbers; "
            "what is missing may not be filled in"
        )
    return question.structure.reshape(-1, *first.shape)


def _placed(computed: NetworkAnswer | None, fit: NDArray[np.bool_]) -> NDArray[np.float32]:
    placed = np.full((len(fit), FIELD_POINTS), np.nan, np.float32)
    if computed is not None:
        placed[fit] = computed.sensitivities_db
    return placed


def _spread(computed: NetworkAnswer | None, fit: NDArray[np.bool_]) -> NDArray[np.float32] | None:
    if computed is None or computed.spread_db is None:
        return None
    placed = np.full((len(fit), FIELD_POINTS, 2), np.nan, np.float32)
    placed[fit] = computed.spread_db
    return placed


def _by_row(reasons: Sequence[Reason | None]) -> dict[int, Reason]:
    return {row: reason for row, reason in enumerate(reasons) if reason is not None}
