"""The storage commitment requests of peers: recorded with their job, and settled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Integer, cast, func
from sqlmodel import Session, col, select

from core.errors import RecordNotFound
from core.ledger import enqueue
from core.tables.columns import key_of
from core.tables.commitments import CommitmentRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from dicom_node.errors import ActionTooLarge

#: Requests of one peer that may wait for their report at a time.
MAXIMUM_WAITING: Final = 1000
_UNFINISHED: Final = (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True)
class InstanceReference:
    """An instance as a peer names it (PS3.3 C.14)."""

    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True)
class CommitmentRequest:
    """Which instances a peer asks us to commit to, and who asks from where.

    Attributes
    ----------
    is_duplicate
        Whether its Transaction UID stood over another list of instances before.
    """

    calling_ae_title: str
    calling_address: str
    transaction_uid: str
    instances: tuple[InstanceReference, ...]
    is_duplicate: bool = False


def record_request(
    session: Session, request: CommitmentRequest, requested_at: datetime, delay_seconds: float
) -> int:
    """Record a request and the job that answers it, in the caller's transaction; return its key.

    The same request again is the same transaction: the peer may not have heard our answer.

    Parameters
    ----------
    delay_seconds
        How long the job waits.

    Raises
    ------
    ActionTooLarge
        If too many requests of this peer wait for their report.
    """
    _check_waiting(session, request.calling_ae_title)
    row = _find_or_make(session, request, requested_at)
    row.calling_address, row.reported_at = request.calling_address, None
    session.add(row)
    session.flush()
    key = key_of(row)
    if not _has_unfinished_job(session, key):
        enqueue(session, JobKind.COMMIT, str(key), delay_seconds=delay_seconds)
    return key


def load_request(session: Session, key: int) -> CommitmentRequest:
    """Return a recorded request.

    Raises
    ------
    RecordNotFound
        If there is none under that key.
    """
    row = _get(session, key)
    return CommitmentRequest(
        calling_ae_title=row.calling_ae_title,
        calling_address=row.calling_address,
        transaction_uid=row.transaction_uid,
        instances=tuple(InstanceReference(*pair) for pair in row.instances),
        is_duplicate=row.number > 1,
    )


def is_reported(session: Session, key: int) -> bool:
    """Whether the peer took the event report of a request."""
    return _get(session, key).reported_at is not None


def settle_request(session: Session, key: int, reported_at: datetime, failed_count: int) -> None:
    """Record that the peer took the event report of a request."""
    row = _get(session, key)
    row.reported_at, row.failed_count = reported_at, failed_count


def _get(session: Session, key: int) -> CommitmentRow:
    row = session.get(CommitmentRow, key)
    if row is None:
        raise RecordNotFound("There is no such storage commitment request")
    return row


def _find_or_make(
    session: Session, request: CommitmentRequest, requested_at: datetime
) -> CommitmentRow:
    instances = [[i.sop_class_uid, i.sop_instance_uid] for i in request.instances]
    earlier = _of_transaction(session, request)
    for row in earlier:
        if row.instances == instances:
            return row
    return CommitmentRow(
        calling_ae_title=request.calling_ae_title,
        calling_address=request.calling_address,
        transaction_uid=request.transaction_uid,
        number=len(earlier) + 1,
        instances=instances,
        requested_at=requested_at,
    )


def _of_transaction(session: Session, request: CommitmentRequest) -> Sequence[CommitmentRow]:
    statement = select(CommitmentRow).where(
        col(CommitmentRow.calling_ae_title) == request.calling_ae_title,
        col(CommitmentRow.transaction_uid) == request.transaction_uid,
    )
    return session.exec(statement.order_by(col(CommitmentRow.number))).all()


def _has_unfinished_job(session: Session, key: int) -> bool:
    statement = select(JobRow.id).where(
        col(JobRow.kind) == JobKind.COMMIT,
        col(JobRow.subject) == str(key),
        col(JobRow.status).in_(_UNFINISHED),
    )
    return session.exec(statement).first() is not None


def _check_waiting(session: Session, ae_title: str) -> None:
    statement = (
        select(func.count())
        .select_from(JobRow)
        .join(CommitmentRow, col(CommitmentRow.id) == cast(col(JobRow.subject), Integer))
        .where(col(JobRow.kind) == JobKind.COMMIT, col(JobRow.status).in_(_UNFINISHED))
        .where(col(CommitmentRow.calling_ae_title) == ae_title)
    )
    if session.exec(statement).one() >= MAXIMUM_WAITING:
        raise ActionTooLarge("Too many requests wait for their report")
