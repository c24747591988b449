from datetime import timedelta

import numpy as np
import pytest
from sqlmodel import func, select

from core import ledger, tensor_scores
from core.clock import utc_now
from core.database import Database
from core.errors import RecordNotFound
from core.tables.jobs import JobKind, JobRow
from core.tensor_scores import (
    BATCH_PRIORITY,
    TensorsNotScored,
    TensorsRefused,
    TooManyQuestions,
    answer_of,
    ask_scores,
    load_question,
    record_answer,
    record_failure,
    record_refusal,
    remove_old_scores,
    settled_among,
)
from core.values.reason import Reason, ReasonCode
from core.values.tensors import TensorAnswer, TensorQuestion
from tests.builders.tensors import build_question


def ask(database: Database, question: TensorQuestion | None = None, priority: int = 10) -> str:
    with database.transaction() as session:
        return ask_scores(session, question or build_question(), priority)


def answered(database: Database, key: str) -> TensorAnswer | None:
    with database.reading() as session:
        return answer_of(session, key)


def test_a_question_and_its_answer_come_back_as_they_were(database: Database) -> None:
    asked = build_question((50.0, 70.0))
    key = ask(database, asked)
    with database.reading() as session:
        loaded = load_question(session, key)
    assert answered(database, key) is None
    told = TensorAnswer(
        np.array([[np.nan] * 52, list(range(52))], np.float32),
        np.arange(208, dtype=np.float32).reshape(2, 52, 2),
        {0: Reason(ReasonCode.OUTSIDE_INTENDED_USE, "too young")},
    )
    with database.transaction() as session:
        record_answer(session, key, told)
    found = answered(database, key)

    assert (loaded.model_name, loaded.model_version) == ("retinervenet", "2.1.0")
    np.testing.assert_array_equal(loaded.structure, asked.structure)
    np.testing.assert_array_equal(loaded.age_years, asked.age_years)
    assert found is not None
    assert found.unfit == told.unfit
    np.testing.assert_array_equal(found.sensitivities_db, told.sensitivities_db)
    assert found.spread_db is not None
    np.testing.assert_array_equal(found.spread_db, told.spread_db)


def test_who_waits_is_served_before_what_may_come_later(database: Database) -> None:
    ask(database, priority=BATCH_PRIORITY)
    soon = ask(database)
    with database.transaction() as session:
        (claimed,) = ledger.claim(session, JobKind.SCORE_TENSORS, "w", 1, 60)
    assert claimed.subject == soon


def test_a_refusal_and_a_failure_are_told_as_such(database: Database) -> None:
    refused, failed, waiting = ask(database), ask(database), ask(database)
    with database.transaction() as session:
        record_refusal(session, refused, "no such model")
        record_failure(session, failed, "the device gave up")
    with pytest.raises(TensorsRefused, match="no such model"):
        answered(database, refused)
    with pytest.raises(TensorsNotScored, match="the device gave up"):
        answered(database, failed)
    with database.reading() as session:
        assert settled_among(session, [refused, failed, waiting]) == {refused, failed}


def test_a_question_goes_with_its_job_when_it_is_kept_no_longer(database: Database) -> None:
    old, kept = ask(database), ask(database)
    with database.transaction() as session:
        later = utc_now() + timedelta(minutes=4)
        ask_scores(session, build_question(), keep=timedelta(minutes=2))
        session.flush()
        assert remove_old_scores(session, later) == 1
        assert remove_old_scores(session, later) == 0
    with database.transaction() as session:
        assert remove_old_scores(session, utc_now() + timedelta(hours=1)) == 2
        # An answer that is on its way finds nothing, and harms nothing.
        record_answer(session, old, TensorAnswer(np.zeros((1, 52), np.float32)))
    with pytest.raises(RecordNotFound):
        answered(database, kept)
    with database.reading() as session:
        assert session.exec(select(func.count()).select_from(JobRow)).one() == 0


def test_more_questions_than_are_answered_soon_are_not_taken(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensor_scores, "MOST_WAITING", 2)
    first = ask(database)
    ask(database)
    with pytest.raises(TooManyQuestions):
        ask(database)
    with database.transaction() as session:
        record_failure(session, first, "stopped")
    assert answered(database, ask(database)) is None


@pytest.mark.parametrize("rows", [0, tensor_scores.MOST_ROWS + 1])
def test_a_question_has_a_bounded_number_of_eyes(database: Database, rows: int) -> None:
    many = TensorQuestion("m", "1", np.zeros((rows, 1), np.float32), np.zeros(rows, np.float32))
    with pytest.raises(TensorsRefused, match=f"not {rows}"):
        ask(database, many)
