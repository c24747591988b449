"""Removing old entries: only from the beginning, and only behind a marker in the chain."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, delete, select

from core.audit.chain import add_entry, lock_head
from core.clock import utc_now
from core.database import Database
from core.errors import NodeError
from core.tables.audit_entries import AuditCollectorRow, AuditEntryRow, AuditPatientRow
from core.values.audit import Actor, AuditAction, AuditOutcome


@dataclass(frozen=True)
class Purged:
    """What went: entries `first` to `last`, and the number of the marker that tells of it."""

    first: int
    last: int
    marker: int

    @property
    def entries(self) -> int:
        """How many."""
        return self.last - self.first + 1


class NotYetTold(NodeError):
    """The collector was not yet sent everything that is to go."""


def purge(
    database: Database,
    before: datetime,
    actor: Actor,
    key: bytes | None,
    *,
    must_be_told: bool = False,
) -> Purged | None:
    """Remove the entries before a moment; None where there are none.

    The chain then begins behind them, and the marker, an entry of its own, holds the digest it
    goes on from.

    Raises
    ------
    NotYetTold
        If `must_be_told`, and a collector of the trail was not yet sent all of it.
    """
    with database.transaction() as session:
        head = lock_head(session)
        last = _last_before(session, before)
        if last is None:
            return None
        if must_be_told:
            _check_told(session, last.number)
        first = session.exec(select(func.min(AuditEntryRow.number))).one()
        row = add_entry(session, head, _marker(actor, int(first), last), key)
        session.flush()
        _remove(session, last.number)
        return Purged(int(first), last.number, row.number)


def _check_told(session: Session, last: int) -> None:
    # None: the collector is told what comes from its first connection on, and nothing before.
    told = session.exec(select(AuditCollectorRow.position)).one()
    if told is not None and told < last:
        raise NotYetTold(
            f"The collector was sent the entries up to {told}, and those up to {last} would go; "
            "run `arcuate deliver` until it has them, or purge --even-untold"
        )


def _last_before(session: Session, before: datetime) -> AuditEntryRow | None:
    # The first that stays decides, not the last that is old: numbers follow commits, not clocks.
    stays = select(func.min(AuditEntryRow.number)).where(col(AuditEntryRow.at) >= before)
    first_to_stay = session.exec(stays).one()
    statement = select(AuditEntryRow).order_by(col(AuditEntryRow.number).desc()).limit(1)
    if first_to_stay is not None:
        statement = statement.where(col(AuditEntryRow.number) < first_to_stay)
    return session.exec(statement).first()


def _marker(actor: Actor, first: int, last: AuditEntryRow) -> AuditEntryRow:
    return AuditEntryRow(
        number=0,
        previous="",
        digest="",
        at=utc_now(),
        actor=actor.name,
        actor_role=actor.role,
        address=actor.address,
        action=AuditAction.PURGE,
        outcome=AuditOutcome.SUCCESS,
        object_kind="audit",
        purged_to=last.number,
        detail={"purged_from": first, "purged_digest": last.digest},
    )


def _remove(session: Session, last: int) -> None:
    session.execute(delete(AuditEntryRow).where(col(AuditEntryRow.number) <= last))
    session.execute(delete(AuditPatientRow).where(col(AuditPatientRow.number) <= last))
