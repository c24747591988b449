"""Orders to score kept instances again: their jobs, in one statement, and how far they are.

Knows nothing of DICOM: which instances may be meant is the caller's to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Float,
    String,
    and_,
    cast,
    exists,
    func,
    insert,
    literal,
    or_,
    text,
)
from sqlalchemy import select as sqlalchemy_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from core.clock import utc_now
from core.ledger import AT_ONCE_SECONDS, NOTIFY_CHANNEL
from core.tables.columns import key_of, table_of
from core.tables.instances import InstanceOrigin, InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.predictions import PredictionRow
from core.tables.rescorings import RescoringRow
from core.tables.shadow_predictions import ShadowPredictionRow
from core.values.prediction import ModelIdentity, PredictionStatus

#: Of the jobs of scoring again and of their reports: whatever comes in overtakes them.
RESCORE_PRIORITY: Final = -10
#: Nobody needs to be asked again for these.
_ANSWERS: Final = (PredictionStatus.FINAL, PredictionStatus.NOT_ASSESSABLE)
_UNFINISHED: Final = (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True)
class RescoringModel:
    """Which model is to score, and how its results are kept.

    Attributes
    ----------
    kind
        What it reads.
    is_shadow
        Whether its results are kept beside those that stand, for comparison alone.
    """

    identity: ModelIdentity
    kind: str
    is_shadow: bool = False


@dataclass(frozen=True)
class RescoringCounts:
    """How the jobs of a model's rescorings stand."""

    queued: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0

    @property
    def waiting(self) -> int:
        """How many are not finished."""
        return self.queued + self.running

    @property
    def finished(self) -> int:
        """How many are."""
        return self.done + self.failed


def begin_rescoring(
    session: Session, model: RescoringModel, meant: Sequence[ColumnElement[bool]]
) -> RescoringRow:
    """Enqueue, in the caller's transaction and in one statement, what the model has yet to score.

    Left out are instances that it has answered already, those that wait for it, and those whose
    first analysis is not done. So asking again adds nothing.

    Parameters
    ----------
    meant
        Conditions on the rows of instances.
    """
    row = RescoringRow(
        model_name=model.identity.name,
        model_version=model.identity.version,
        model_digest=model.identity.digest,
        model_kind=model.kind,
        is_shadow=model.is_shadow,
        created_at=utc_now(),
    )
    session.add(row)
    session.flush()
    row.jobs = _enqueue(session, key_of(row), [*meant, *_has_work(model)])
    session.flush()
    return row


def count_rescoring(session: Session, model: RescoringModel) -> RescoringCounts:
    """Return how all the jobs stand that ever had this model score again, in this way."""
    statement = (
        select(col(JobRow.status), func.count())
        .where(col(JobRow.rescoring_key).in_(_orders(model)))
        .group_by(col(JobRow.status))
    )
    return RescoringCounts(**dict(session.exec(statement).all()))


def models_of_jobs(session: Session, job_ids: Sequence[int]) -> dict[int, RescoringModel]:
    """Return which model each of these jobs is to score with, by the job's id."""
    statement = (
        select(JobRow.id, RescoringRow)
        .join(RescoringRow, col(RescoringRow.id) == col(JobRow.rescoring_key))
        .where(col(JobRow.id).in_(job_ids))
    )
    return {int(key): _model_of(row) for key, row in session.exec(statement).all() if key}


def _model_of(row: RescoringRow) -> RescoringModel:
    identity = ModelIdentity(row.model_name, row.model_version, row.model_digest)
    return RescoringModel(identity, row.model_kind, row.is_shadow)


def _enqueue(session: Session, rescoring_key: int, conditions: list[ColumnElement[bool]]) -> int:
    dialect = session.connection().dialect.name
    jobs = sqlalchemy_select(
        literal(JobKind.RESCORE.value),
        cast(col(InstanceRow.id), String),
        literal(JobStatus.QUEUED.value),
        literal(RESCORE_PRIORITY),
        literal(0),
        literal(AT_ONCE_SECONDS, Float),
        literal(utc_now(), JobRow.__table__.c.created_at.type),  # type: ignore[attr-defined]
        literal(rescoring_key),
    )
    names = ("kind", "subject", "status", "priority", "attempts", "available_at", "created_at")
    ordered = jobs.where(*conditions).order_by(col(InstanceRow.id))
    session.execute(insert(table_of(JobRow)).from_select([*names, "rescoring_key"], ordered))
    if dialect == "postgresql":
        session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": NOTIFY_CHANNEL})
    # Drivers do not agree on how many rows such a statement added.
    added = select(func.count()).where(col(JobRow.rescoring_key) == rescoring_key)
    return session.exec(added).one()


def _has_work(model: RescoringModel) -> list[ColumnElement[bool]]:
    answered = _is_watched(model) if model.is_shadow else _is_answered(model)
    return [
        col(InstanceRow.origin) == InstanceOrigin.RECEIVED,
        col(InstanceRow.bytes_removed_at).is_(None),
        col(InstanceRow.outcome) != InstanceOutcome.PENDING,
        answered,
        ~_has_job(model),
    ]


def _is_answered(model: RescoringModel) -> ColumnElement[bool]:
    return ~exists().where(
        col(PredictionRow.instance_key) == col(InstanceRow.id),
        col(PredictionRow.model_digest) == model.identity.digest,
        col(PredictionRow.status).in_(_ANSWERS),
    )


def _is_watched(model: RescoringModel) -> ColumnElement[bool]:
    """Whether a result stands that the model has not been compared with."""
    stands = aliased(PredictionRow)
    watched = exists().where(
        col(ShadowPredictionRow.prediction_id) == col(stands.id),
        col(ShadowPredictionRow.model_digest) == model.identity.digest,
    )
    return exists().where(
        col(stands.instance_key) == col(InstanceRow.id),
        col(stands.status).in_(_ANSWERS),
        col(stands.model_digest) != model.identity.digest,
        ~watched,
    )


def _has_job(model: RescoringModel) -> ColumnElement[bool]:
    """Whether its job waits, or has found that the object is for no model."""
    job = aliased(JobRow)
    found_unfit = and_(
        col(job.status) == JobStatus.DONE,
        col(InstanceRow.outcome) == InstanceOutcome.NOT_MODEL_INPUT,
    )
    return exists().where(
        col(job.kind) == JobKind.RESCORE,
        col(job.subject) == cast(col(InstanceRow.id), String),
        col(job.rescoring_key).in_(_orders(model)),
        or_(col(job.status).in_(_UNFINISHED), found_unfit),
    )


def _orders(model: RescoringModel) -> ColumnElement[bool]:
    statement = select(RescoringRow.id).where(
        col(RescoringRow.model_digest) == model.identity.digest,
        col(RescoringRow.is_shadow) == model.is_shadow,
    )
    return statement.scalar_subquery()
