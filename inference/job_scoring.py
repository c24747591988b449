"""The step that scores what a deployment was given as a job."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlmodel import Session

from core import ledger
from core.clock import Clock, utc_now
from core.database import Database
from core.deployment_jobs import begin_job, complete_job, fail_job, unpacked
from core.errors import NodeError
from core.lease import Lease
from core.ledger import Claim, LeaseLost
from core.logs import get_logger
from core.scoring_input import read_question
from core.scoring_output import predictions_of
from core.study_scoring import predictions_of_studies, score_studies, study_uids_of
from core.tables.deployment_jobs import DeploymentJobRow
from core.tables.jobs import JobKind
from core.tensor_scores import TensorsRefused
from core.values.tensors import TensorAnswer, TensorQuestion
from inference.errors import (
    DeviceUnavailable,
    InputOutsideIntendedUse,
    ModelDamaged,
    ModelNotFound,
    RuntimeUnavailable,
)
from inference.scorer import Scorer
from inference.tensor_models import TensorModels
from inference.tensor_scoring import answer_tensors
from inference.told_card import told_card

#: Eyes computed between two looks at whether the job is still wanted.
CHUNK_EYES: Final = 256
#: Until a job whose scans are being scored is looked at again, in seconds.
STUDY_DELAY_SECONDS: Final = 0.5
#: What trying again does not help.
_REFUSALS: Final = (
    TensorsRefused,
    InputOutsideIntendedUse,
    ModelNotFound,
    ModelDamaged,
    DeviceUnavailable,
    RuntimeUnavailable,
)
_INVALID: Final = "invalid_input"
_BROKE: Final = "scoring_failed"

_log = get_logger(__name__)


@dataclass(frozen=True)
class ScoreJobStep:
    """Scores one job at a time; its result and its end are one transaction."""

    database: Database
    models: TensorModels
    lease_seconds: float
    kind: JobKind = JobKind.SCORE_JOB
    clock: Clock = utc_now
    group_size: int = 1

    def run(self, claims: Sequence[Claim]) -> None:
        """Score each claimed job."""
        for claimed in claims:
            with self.database.transaction() as session:
                row = begin_job(session, claimed, self.clock())
            if row is not None:
                self._score(claimed, row)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Say on the job that there will be no result, and why."""
        fail_job(session, claim.subject, _BROKE, error, self.clock())

    def _score(self, claimed: Claim, row: DeploymentJobRow) -> None:
        try:
            predictions = (
                self._of_studies(claimed, row)
                if row.names_studies
                else self._of_tensors(claimed, row)
            )
        except _REFUSALS as error:
            self._refuse(claimed, error)
            return
        if predictions is None:
            return
        with self.database.transaction() as session:
            complete_job(session, claimed, predictions, self.clock())
        _log.info("deployment_job_completed", deployment_job=row.id)

    def _of_studies(self, claimed: Claim, row: DeploymentJobRow) -> list[dict[str, Any]] | None:
        """Return what was said of the scans of studies; None where the job must wait for it."""
        uids, model = study_uids_of(unpacked(row.request)), (row.model_name, row.model_version)
        with self.database.transaction() as session:
            told = score_studies(session, uids, model, row.created_at)
            if told is None:
                ledger.give_back(session, claimed, STUDY_DELAY_SECONDS)
                return None
        return predictions_of_studies(told, self.models.scorer(*model).card.output_layer)

    def _of_tensors(self, claimed: Claim, row: DeploymentJobRow) -> list[dict[str, Any]]:
        scorer = self.models.scorer(row.model_name, row.model_version)
        card = told_card(scorer.card)
        question = read_question(unpacked(row.request), scorer.identity, card)
        return predictions_of(self._answer(claimed, scorer, question), scorer.card.output_layer)

    def _answer(self, claimed: Claim, scorer: Scorer, question: TensorQuestion) -> TensorAnswer:
        """Return what the model says, computed a part at a time.

        Raises
        ------
        LeaseLost
            If the job was cancelled meanwhile.
        """
        lease = Lease(self.database, claimed, self.lease_seconds)
        answers = []
        for start in range(0, len(question.age_years), CHUNK_EYES):
            if start:
                lease.renew(self.lease_seconds)
            part = slice(start, start + CHUNK_EYES)
            answers += answer_tensors(scorer, [_part_of(question, part)])
        return _joined(answers)

    def _refuse(self, claimed: Claim, error: NodeError) -> None:
        try:
            with self.database.transaction() as session:
                ledger.finish(session, claimed)
                fail_job(session, claimed.subject, _INVALID, str(error), self.clock())
        except LeaseLost:
            _log.info("deployment_job_left", job=claimed.job_id)


def _part_of(question: TensorQuestion, part: slice) -> TensorQuestion:
    return TensorQuestion(
        question.model_name,
        question.model_version,
        question.structure[part],
        question.age_years[part],
    )


def _joined(answers: Sequence[TensorAnswer]) -> TensorAnswer:
    unfit = {
        number * CHUNK_EYES + row: reason
        for number, answer in enumerate(answers)
        for row, reason in answer.unfit.items()
    }
    return TensorAnswer(
        np.concatenate([answer.sensitivities_db for answer in answers]), unfit=unfit
    )
