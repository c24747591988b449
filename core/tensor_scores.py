"""Tensors scored through the ledger: asked here, answered by a process that scores.

Whoever serves HTTP loads no network. It asks in a transaction of its own, is woken when the answer
is recorded, and takes it; what nobody takes is removed after a while.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, delete, func, text
from sqlmodel import Session, col, select, update

from core.clock import utc_now
from core.errors import NodeError, RecordNotFound
from core.ledger import enqueue
from core.tables.jobs import JobKind, JobRow
from core.tables.tensor_scores import TensorScoreRow, TensorScoreStatus
from core.values.prediction import FIELD_POINTS
from core.values.reason import Reason, ReasonCode
from core.values.tensors import TensorAnswer, TensorQuestion

#: Priority of what somebody waits for, and of what may come later.
ONLINE_PRIORITY: Final = 10
BATCH_PRIORITY: Final = 0
#: How long a question is kept by default: longer than anyone waits for its answer.
KEEP: Final = timedelta(minutes=5)
#: Questions that may wait for an answer at a time.
MOST_WAITING: Final = 256
#: Eyes in one question.
MOST_ROWS: Final = 4096
#: Channel on which PostgreSQL announces answers.
ANSWERED_CHANNEL: Final = "arcuate_scores"

_FLOAT: Final = np.dtype("<f4")


class TooManyQuestions(NodeError):
    """Too many questions wait to be scored; ask again in a few seconds."""


class TensorsRefused(NodeError):
    """The model does not take these tensors, or is not there; the message says why."""


class TensorsNotScored(NodeError):
    """Scoring stopped before there was an answer; the message says why."""


def ask_scores(
    session: Session,
    question: TensorQuestion,
    priority: int = ONLINE_PRIORITY,
    keep: timedelta = KEEP,
    now: datetime | None = None,
) -> str:
    """Ask a model in the caller's transaction; return the key of the question.

    Raises
    ------
    TooManyQuestions
        If so many wait that this one would wait too long, too.
    TensorsRefused
        If it has no eye, or more than one question may have.
    """
    rows = len(question.age_years)
    if not 1 <= rows <= MOST_ROWS:
        raise TensorsRefused(f"A question has from 1 to {MOST_ROWS} eyes, not {rows}")
    if _count_waiting(session) >= MOST_WAITING:
        raise TooManyQuestions
    asked_at = now or utc_now()
    row = TensorScoreRow(
        id=str(uuid.uuid4()),
        model_name=question.model_name,
        model_version=question.model_version,
        rows=rows,
        structure=_bytes_of(question.structure),
        age_years=_bytes_of(question.age_years),
        created_at=asked_at,
        keep_until=asked_at + keep,
    )
    session.add(row)
    session.flush()
    enqueue(session, JobKind.SCORE_TENSORS, row.id, priority)
    return row.id


def load_question(session: Session, key: str) -> TensorQuestion:
    """Return a question.

    Raises
    ------
    RecordNotFound
        If it is kept no longer: nobody waits for its answer.
    """
    row = _row(session, key)
    structure = _array_of(row.structure).reshape(row.rows, -1)
    return TensorQuestion(row.model_name, row.model_version, structure, _array_of(row.age_years))


def record_answer(session: Session, key: str, answer: TensorAnswer) -> None:
    """Answer a question, and wake who waits when the transaction commits; a removed one is left."""
    spread_db = answer.spread_db
    unfit = [
        {"row": row, "code": reason.code, "message": reason.message}
        for row, reason in sorted(answer.unfit.items())
    ]
    _settle(
        session,
        key,
        status=TensorScoreStatus.ANSWERED,
        sensitivities_db=_bytes_of(answer.sensitivities_db),
        spread_db=None if spread_db is None else _bytes_of(spread_db),
        unfit=unfit,
    )


def record_refusal(session: Session, key: str, error: str) -> None:
    """Say that the model does not take such tensors, or is not there."""
    _settle(session, key, status=TensorScoreStatus.REFUSED, error=error)


def record_failure(session: Session, key: str, error: str) -> None:
    """Say that there will be no answer."""
    _settle(session, key, status=TensorScoreStatus.FAILED, error=error)


def settled_among(session: Session, keys: Iterable[str]) -> set[str]:
    """Return which of these questions need no more waiting; one that is removed does not, too."""
    wanted = set(keys)
    still = _is_waiting() & col(TensorScoreRow.id).in_(wanted)
    return wanted - set(session.exec(select(TensorScoreRow.id).where(still)).all())


def answer_of(session: Session, key: str) -> TensorAnswer | None:
    """Return the answer to a question; None while it waits.

    Raises
    ------
    TensorsRefused
        If the model does not take such tensors, or is not there.
    TensorsNotScored
        If scoring stopped.
    RecordNotFound
        If the question is kept no longer.
    """
    row = _row(session, key)
    match row.status:
        case TensorScoreStatus.ANSWERED:
            return _answer(row)
        case TensorScoreStatus.REFUSED:
            raise TensorsRefused(row.error)
        case TensorScoreStatus.FAILED:
            raise TensorsNotScored(row.error)
    return None


def remove_scores(session: Session, keys: Iterable[str]) -> None:
    """Remove questions with their jobs; an answer that is on its way is dropped."""
    removed = set(keys)
    is_its_job = (col(JobRow.kind) == JobKind.SCORE_TENSORS) & col(JobRow.subject).in_(removed)
    session.execute(delete(JobRow).where(is_its_job))
    session.execute(delete(TensorScoreRow).where(col(TensorScoreRow.id).in_(removed)))


def remove_old_scores(session: Session, now: datetime | None = None, limit: int = 500) -> int:
    """Remove the oldest questions that are kept no longer; return how many they were."""
    is_old = col(TensorScoreRow.keep_until) < (now or utc_now())
    oldest = select(TensorScoreRow.id).where(is_old).order_by(col(TensorScoreRow.keep_until))
    keys = session.exec(oldest.limit(limit)).all()
    if keys:
        remove_scores(session, keys)
    return len(keys)


def _count_waiting(session: Session) -> int:
    return session.exec(select(func.count()).where(_is_waiting())).one()


def _is_waiting() -> ColumnElement[bool]:
    return col(TensorScoreRow.status) == TensorScoreStatus.WAITING


def _row(session: Session, key: str) -> TensorScoreRow:
    row = session.get(TensorScoreRow, key)
    if row is None:
        raise RecordNotFound("The question is kept no longer; ask again")
    return row


def _settle(session: Session, key: str, **values: Any) -> None:
    session.execute(update(TensorScoreRow).where(col(TensorScoreRow.id) == key).values(**values))
    if session.connection().dialect.name == "postgresql":
        session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": ANSWERED_CHANNEL})


def _answer(row: TensorScoreRow) -> TensorAnswer:
    spread = row.spread_db
    return TensorAnswer(
        _array_of(row.sensitivities_db or b"").reshape(row.rows, FIELD_POINTS),
        None if spread is None else _array_of(spread).reshape(row.rows, FIELD_POINTS, 2),
        {
            int(found["row"]): Reason(ReasonCode(str(found["code"])), str(found["message"]))
            for found in row.unfit
        },
    )


def _bytes_of(array: NDArray[np.float32]) -> bytes:
    return np.ascontiguousarray(array, _FLOAT).tobytes()


def _array_of(kept: bytes) -> NDArray[np.float32]:
    return np.frombuffer(kept, _FLOAT).astype(np.float32)
