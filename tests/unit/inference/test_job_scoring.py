import threading
from typing import Any

import numpy as np
import pytest

from core.database import Database
from core.deployment_jobs import cancel_job, find_job, unpacked
from core.settings import Settings
from core.tables.deployment_jobs import DeploymentJobRow, DeploymentJobState
from core.values.prediction import ModelIdentity
from core.worker import Worker
from inference import job_scoring
from inference.gating import gate_of
from inference.job_scoring import ScoreJobStep
from inference.model_card import ModelKind
from inference.predictor import Predictor
from inference.scorer import Scorer
from inference.scorers import FixedScorers, Scorers
from inference.tensor_models import TensorModels
from tests.builders.deployment_job import claim_jobs, give_job
from tests.builders.tensors import build_question


@pytest.fixture(scope="module")
def scorer(shipped_predictor: Predictor) -> Scorer:
    return Scorer(shipped_predictor, gate_of(shipped_predictor.card))


@pytest.fixture
def step(database: Database, settings: Settings, scorer: Scorer) -> ScoreJobStep:
    at_work = FixedScorers(Scorers({ModelKind.PROFILE: scorer}))
    return ScoreJobStep(database, TensorModels(settings, database, at_work), 60.0)


def rows_of(*ages_years: float) -> list[list[float]]:
    question = build_question(ages_years)
    return np.column_stack([question.structure, question.age_years]).tolist()


def scoring(rows: list[Any]) -> dict[str, Any]:
    return {"input_data": [{"values": rows}]}


def done(database: Database, job_id: str) -> DeploymentJobRow:
    with database.reading() as session:
        return find_job(session, job_id)


def test_a_job_gives_what_the_model_says_of_each_row(
    database: Database, step: ScoreJobStep, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_scoring, "CHUNK_EYES", 2)
    ages = (50.0, 55.0, 60.0, 65.0, 70.0)
    job_id = give_job(database, scoring=scoring(rows_of(*ages)))
    step.run(claim_jobs(database))

    row, question = done(database, job_id), build_question(ages)
    assert row.state == DeploymentJobState.COMPLETED, row.failure
    [output] = unpacked(row.predictions or b"")
    wanted = scorer.predictor.answer(question.structure, question.age_years).sensitivities_db
    assert output["id"] == "dense_1"
    np.testing.assert_allclose(output["values"], wanted, atol=1e-4)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([[1.0, 2.0]], r"values[0] has 2 numbers"),
        (rows_of(60.0, 8.0), r"values[1]: The model is meant for ages"),
        ([[None] * 769], r"values[0][0] is missing"),
    ],
)
def test_a_job_that_cannot_be_scored_says_why(
    database: Database, step: ScoreJobStep, rows: list[Any], told: str
) -> None:
    job_id = give_job(database, scoring=scoring(rows))
    step.run(claim_jobs(database))

    row = done(database, job_id)
    assert (row.state, row.failure_code) == (DeploymentJobState.FAILED, "invalid_input")
    assert told in row.failure
    assert row.predictions is None


def test_a_job_cancelled_between_two_parts_stops(
    database: Database,
    settings: Settings,
    step: ScoreJobStep,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job_id = give_job(database, scoring=scoring(rows_of(50.0, 55.0, 60.0)))
    parts: list[int] = []
    answer = job_scoring.answer_tensors

    def answer_and_cancel(*told: Any) -> Any:
        parts.append(len(parts))
        with database.transaction() as session:
            cancel_job(session, job_id)
        return answer(*told)

    monkeypatch.setattr(job_scoring, "CHUNK_EYES", 1)
    monkeypatch.setattr(job_scoring, "answer_tensors", answer_and_cancel)
    Worker(database, settings, step, threading.Event()).run_once()

    assert parts == [0]
    assert done(database, job_id).state == DeploymentJobState.CANCELED


def test_a_model_that_is_gone_fails_the_job(database: Database, step: ScoreJobStep) -> None:
    job_id = give_job(
        database, model=ModelIdentity("gone", "1.0.0", "x"), scoring=scoring(rows_of(60.0))
    )
    step.run(claim_jobs(database))

    assert done(database, job_id).state == DeploymentJobState.FAILED
