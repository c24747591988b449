"""What destinations say of keeping what they took: asked, heard, asked again or never heard."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlmodel import Session, col, select

from core.changes import append_changes
from core.clock import Clock, utc_now
from core.database import database_seconds
from core.deliveries.scheduling import wake
from core.tables.changes import ChangeKind
from core.tables.columns import key_of
from core.tables.deliveries import (
    CommitmentState,
    DeliveryCommitmentRow,
    DeliveryRow,
    DeliveryState,
)
from core.tables.destinations import DestinationRow

#: Objects asked about in one request.
MAXIMUM_A_REQUEST: Final = 500
#: How often an object the destination says it does not have is sent.
_SENT_AT_MOST: Final = 2
_NEVER_ANSWERED: Final = "not committed: the destination never reported it"


def due_for_request(
    session: Session, destination_id: int, maximum_requests: int
) -> Sequence[DeliveryRow]:
    """Return what a destination is to be asked about now.

    What it was asked about often enough without an answer is written off, in the caller's
    transaction.
    """
    statement = (
        select(DeliveryRow)
        .where(col(DeliveryRow.destination_id) == destination_id)
        .where(col(DeliveryRow.commitment) == CommitmentState.ASKED)
        .where(col(DeliveryRow.available_at) <= database_seconds(session))
        .order_by(col(DeliveryRow.id))
        .limit(MAXIMUM_A_REQUEST)
    )
    due = session.exec(statement).all()
    for row in due:
        if row.commitment_requests >= maximum_requests:
            _write_off(row, _NEVER_ANSWERED)
    return [row for row in due if row.commitment == CommitmentState.ASKED]


def begin_request(
    session: Session, rows: Sequence[DeliveryRow], transaction_uid: str, wait_seconds: float
) -> None:
    """Record a request before it is made: the answer may be quicker than our next transaction."""
    again_at = database_seconds(session) + wait_seconds
    for row in rows:
        row.commitment_requests += 1
        row.available_at = again_at
        session.add(DeliveryCommitmentRow(transaction_uid=transaction_uid, delivery_id=key_of(row)))
    session.flush()


def take_request_back(session: Session, rows: Sequence[DeliveryRow]) -> None:
    """Let a request that could not be made be due again, as if it had not been begun."""
    now = database_seconds(session)
    for begun in rows:
        row = session.get_one(DeliveryRow, key_of(begun))
        if row.commitment == CommitmentState.ASKED:
            row.commitment_requests, row.available_at = row.commitment_requests - 1, now


def write_off(session: Session, rows: Sequence[DeliveryRow], cause: str) -> None:
    """Record that a destination cannot be asked about objects."""
    for asked in rows:
        row = session.get_one(DeliveryRow, key_of(asked))
        if row.commitment == CommitmentState.ASKED:
            _write_off(row, f"not committed: {cause}")


def settle_commitment(
    session: Session,
    transaction_uid: str,
    committed: Collection[str],
    failed: Mapping[str, int],
    clock: Clock = utc_now,
) -> int:
    """Record what a destination reported; return how many objects it was asked about, 0 for none.

    An object it says it does not have is sent once more, unless it is on its way already or the
    destination was removed.

    Parameters
    ----------
    committed, failed
        SOP Instance UIDs, and Failure Reasons (0008,1197) of those it does not commit to.
    """
    rows = _named(session, transaction_uid, locked=True)
    open_rows = [row for row in rows if row.commitment != CommitmentState.COMMITTED]
    kept = [row for row in open_rows if row.sent_sop_instance_uid in committed]
    for row in kept:
        row.state, row.commitment = DeliveryState.COMMITTED, CommitmentState.COMMITTED
        row.committed_at, row.available_at, row.error = clock(), None, None
    # Peers repeat reports: what is on its way again, or was given up since, is not told once more.
    lacking = [
        row
        for row in open_rows
        if row.sent_sop_instance_uid in failed and row.state == DeliveryState.DELIVERED
    ]
    for row in lacking:
        _send_again(session, row, failed[str(row.sent_sop_instance_uid)])
    session.flush()
    if kept:
        subjects = [str(key_of(row)) for row in kept]
        append_changes(session.connection(), ChangeKind.REPORT_COMMITTED, subjects)
    for destination_id in sorted({r.destination_id for r in lacking}):
        wake(session, destination_id)
    return len(rows)


def is_awaited(session: Session, transaction_uid: str) -> bool:
    """Whether something named in a request was not reported yet."""
    return any(row.commitment == CommitmentState.ASKED for row in _named(session, transaction_uid))


def _named(session: Session, transaction_uid: str, locked: bool = False) -> Sequence[DeliveryRow]:
    statement = (
        select(DeliveryRow)
        .join(DeliveryCommitmentRow, col(DeliveryCommitmentRow.delivery_id) == DeliveryRow.id)
        .where(col(DeliveryCommitmentRow.transaction_uid) == transaction_uid)
        .order_by(col(DeliveryRow.id))
    )
    return session.exec(statement.with_for_update() if locked else statement).all()


def _send_again(session: Session, row: DeliveryRow, reason: int) -> None:
    cause = f"the destination does not commit to it (0x{reason:04X})"
    destination = session.get_one(DestinationRow, row.destination_id)
    is_over = destination.removed_at is not None or row.dismissed_at is not None
    if row.attempts >= _SENT_AT_MOST or is_over:
        _write_off(row, f"not committed: {cause}")
        return
    row.state, row.commitment, row.error = DeliveryState.WAITING, None, cause
    row.available_at = database_seconds(session)


def _write_off(row: DeliveryRow, error: str) -> None:
    row.commitment, row.error, row.available_at = CommitmentState.NOT_COMMITTED, error, None
