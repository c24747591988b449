import asyncio

import numpy as np
import pytest
from sqlmodel import func, select

from api.errors import NobodyScored
from api.scoring.questions import Questions
from core import ledger
from core.database import Database
from core.tables.jobs import JobKind, JobRow
from core.tables.tensor_scores import TensorScoreRow
from core.tensor_scores import TensorsRefused, load_question, record_answer, record_refusal
from core.values.tensors import TensorAnswer
from tests.builders.tensors import build_question


def kept(database: Database) -> tuple[int, int]:
    with database.reading() as session:
        count = select(func.count())
        rows = session.exec(count.select_from(TensorScoreRow)).one()
        return rows, session.exec(count.select_from(JobRow)).one()


def answer_all(database: Database, refused_age: float) -> int:
    """Answer what waits as a process that scores does, each eye by its age."""
    with database.transaction() as session:
        claims = ledger.claim(session, JobKind.SCORE_TENSORS, "worker", 16, 60)
        for claimed in claims:
            ages = load_question(session, claimed.subject).age_years
            if ages[0] == refused_age:
                record_refusal(session, claimed.subject, "not that age")
            else:
                field = np.repeat(ages[:, np.newaxis], 52, axis=1)
                record_answer(session, claimed.subject, TensorAnswer(field))
            ledger.finish(session, claimed)
    return len(claims)


async def asked_together(database: Database, ages: list[float], refused_age: float) -> list[object]:
    questions = Questions(database)
    asked = [asyncio.create_task(questions.ask(build_question((age,)))) for age in ages]
    answers = 0
    while answers < len(ages):
        answers += await asyncio.to_thread(answer_all, database, refused_age)
        await asyncio.sleep(0)
    return await asyncio.gather(*asked, return_exceptions=True)


def test_everybody_who_waits_gets_his_own_answer_and_nothing_stays(database: Database) -> None:
    first, refused, last = asyncio.run(asked_together(database, [50.0, 60.0, 70.0], 60.0))
    assert isinstance(first, TensorAnswer)
    assert isinstance(last, TensorAnswer)
    assert (first.sensitivities_db[0, 0], last.sensitivities_db[0, 0]) == (50.0, 70.0)
    assert isinstance(refused, TensorsRefused)
    assert kept(database) == (0, 0)


def test_who_is_not_answered_in_time_is_told_so_and_the_question_is_taken_back(
    database: Database,
) -> None:
    with pytest.raises(NobodyScored, match="arcuate infer"):
        asyncio.run(Questions(database).ask(build_question(), seconds=0.01))
    assert kept(database) == (0, 0)
