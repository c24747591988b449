from dataclasses import replace

import numpy as np
import pytest

from core import ledger
from core.database import Database
from core.settings import Settings
from core.tables.jobs import JobKind
from core.tensor_scores import TensorsRefused, answer_of, ask_scores, remove_scores
from core.values.reason import ReasonCode
from core.values.tensors import TensorAnswer, TensorQuestion
from inference.gating import gate_of
from inference.model_card import ModelKind
from inference.predictor import Predictor
from inference.scorer import Scorer
from inference.scorers import FixedScorers, Scorers
from inference.tensor_models import TensorModels
from inference.tensor_scoring import TensorScoreStep, answer_tensors
from tests.builders.tensors import build_question


@pytest.fixture(scope="module")
def scorer(shipped_predictor: Predictor) -> Scorer:
    return Scorer(shipped_predictor, gate_of(shipped_predictor.card))


@pytest.fixture
def step(database: Database, settings: Settings, scorer: Scorer) -> TensorScoreStep:
    at_work = FixedScorers(Scorers({ModelKind.PROFILE: scorer}))
    return TensorScoreStep(database, TensorModels(settings, database, at_work))


def ask(database: Database, question: TensorQuestion) -> str:
    with database.transaction() as session:
        return ask_scores(session, question)


def work(step: TensorScoreStep) -> None:
    with step.database.transaction() as session:
        claims = ledger.claim(session, JobKind.SCORE_TENSORS, "worker", step.group_size, 60)
    step.run(claims)


def answered(database: Database, key: str) -> TensorAnswer:
    with database.reading() as session:
        answer = answer_of(session, key)
    assert answer is not None
    return answer


def test_eyes_of_several_questions_get_the_answers_they_get_alone(scorer: Scorer) -> None:
    questions = [build_question((50.0, 60.0)), build_question((70.0,))]
    together = answer_tensors(scorer, questions)
    for question, answer in zip(questions, together, strict=True):
        alone = scorer.predictor.answer(question.structure, question.age_years)
        np.testing.assert_allclose(answer.sensitivities_db, alone.sensitivities_db, atol=1e-4)
        assert answer.spread_db is not None
        assert answer.spread_db.shape == (len(question.age_years), 52, 2)
        assert answer.unfit == {}


def test_eyes_the_model_was_not_made_for_are_not_scored(scorer: Scorer) -> None:
    question = build_question((60.0, 8.0, 60.0))
    flat = question.structure.copy()
    flat[2] = 100.0
    (answer,) = answer_tensors(scorer, [replace(question, structure=flat)])
    assert {row: reason.code for row, reason in answer.unfit.items()} == {
        1: ReasonCode.OUTSIDE_INTENDED_USE,
        2: ReasonCode.OUTSIDE_INTENDED_USE,
    }
    assert np.isfinite(answer.sensitivities_db[0]).all()
    assert np.isnan(answer.sensitivities_db[1:]).all()
    (none,) = answer_tensors(scorer, [build_question((8.0,))])
    assert np.isnan(none.sensitivities_db).all()


def test_a_bad_question_is_refused_and_its_neighbours_are_answered(
    database: Database, step: TensorScoreStep
) -> None:
    good = build_question()
    missing = good.structure.copy()
    missing[0, 5] = np.nan
    bad = [
        replace(good, structure=good.structure[:, :52]),
        replace(good, structure=missing),
        replace(good, age_years=np.array([np.nan], np.float32)),
        replace(good, model_version="9.9.9"),
    ]
    keys = [ask(database, question) for question in (good, *bad, good)]
    work(step)
    for key, cause in zip(
        keys[1:-1], ["768 samples, not 52", "finite", "finite", "retinervenet 9.9.9"], strict=True
    ):
        with pytest.raises(TensorsRefused, match=cause):
            answered(database, key)
    first, last = answered(database, keys[0]), answered(database, keys[-1])
    np.testing.assert_array_equal(first.sensitivities_db, last.sensitivities_db)


def test_a_question_whose_asker_has_gone_harms_no_other(
    database: Database, step: TensorScoreStep
) -> None:
    gone, kept = ask(database, build_question()), ask(database, build_question())
    with database.transaction() as session:
        claims = ledger.claim(session, JobKind.SCORE_TENSORS, "worker", 2, 60)
        remove_scores(session, [gone])
    step.run(claims)
    assert answered(database, kept).sensitivities_db.shape == (1, 52)


def test_a_model_that_does_not_score_here_answers_too(
    database: Database, settings: Settings, scorer: Scorer
) -> None:
    nothing_active = FixedScorers(Scorers({}))
    on_cpu = settings.model_copy(update={"device": "cpu"})
    models = TensorModels(on_cpu, database, nothing_active)
    found = models.scorer("retinervenet", "2.1.0")
    assert found.card == scorer.card
    assert models.scorer("retinervenet", "2.1.0") is found
