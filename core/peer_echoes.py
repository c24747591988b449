"""Asking whether a peer answers: the wish, which becomes a job, and what came of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, delete, select

from core import ledger
from core.errors import RecordNotFound
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.peers import PeerEchoRow, PeerRow

#: A person waits for it.
_PRIORITY: Final = 1


def ask_echo(session: Session, ae_title: str, asked_by: str, now: datetime) -> PeerEchoRow:
    """Have a peer asked whether it answers, by whichever process delivers.

    While it is being asked another wish changes nothing.

    Raises
    ------
    RecordNotFound
        If there is no such peer.
    """
    if session.get(PeerRow, ae_title) is None:
        raise RecordNotFound("There is no such peer")
    row = session.get(PeerEchoRow, ae_title)
    if row is not None and row.finished_at is None and _is_under_way(session, ae_title):
        return row
    row = row or PeerEchoRow(ae_title=ae_title, asked_at=now, asked_by=asked_by)
    row.asked_at, row.asked_by = now, asked_by
    row.finished_at = row.seconds = row.error = None
    session.add(row)
    session.flush()
    ledger.enqueue(session, JobKind.ECHO, ae_title, _PRIORITY)
    return row


def answer_echo(
    session: Session,
    ae_title: str,
    now: datetime,
    seconds: float | None = None,
    error: str | None = None,
) -> None:
    """Record what came of it: how long the answer took, or why there was none.

    Nothing is recorded of a peer that was removed meanwhile.
    """
    row = session.get(PeerEchoRow, ae_title)
    if row is not None:
        row.finished_at, row.seconds, row.error = now, seconds, error


def forget_echo(session: Session, ae_title: str) -> None:
    """Forget what came of it, as the peer is one no more."""
    session.execute(delete(PeerEchoRow).where(col(PeerEchoRow.ae_title) == ae_title))


def echoes_of(session: Session, ae_titles: Sequence[str]) -> dict[str, PeerEchoRow]:
    """Return the last echo of each of these peers that has one."""
    wanted = col(PeerEchoRow.ae_title).in_(ae_titles)
    return {row.ae_title: row for row in session.exec(select(PeerEchoRow).where(wanted)).all()}


def _is_under_way(session: Session, ae_title: str) -> bool:
    statement = select(JobRow.id).where(
        col(JobRow.kind) == JobKind.ECHO,
        col(JobRow.subject) == ae_title,
        col(JobRow.status).in_((JobStatus.QUEUED, JobStatus.RUNNING)),
    )
    return session.exec(statement).first() is not None
