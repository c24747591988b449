"""How far the collector of audit messages has been told, and which process tells it."""

from dataclasses import dataclass

from sqlmodel import Session, col, select, update

from core.audit.chain import last_entry
from core.database import database_seconds
from core.tables.audit_entries import AuditCollectorRow


@dataclass(frozen=True)
class Collecting:
    """What a process that tells the collector holds: its own name, and where to go on."""

    worker: str
    position: int


def claim_collector(session: Session, worker: str, lease_seconds: float) -> Collecting | None:
    """Take over telling the collector; None while another process does.

    The first time, telling begins with what is recorded from now on.
    """
    now = database_seconds(session)
    row = session.exec(select(AuditCollectorRow).with_for_update()).one()
    if row.lease_until > now and row.leased_by != worker:
        return None
    if row.position is None:
        row.position, _, _ = last_entry(session)
    row.leased_by, row.lease_until = worker, now + lease_seconds
    return Collecting(worker, row.position)


def record_told(session: Session, worker: str, position: int, lease_seconds: float) -> bool:
    """Record how far the collector is, and hold on; False where another process took over."""
    until = database_seconds(session) + lease_seconds
    statement = update(AuditCollectorRow).where(col(AuditCollectorRow.leased_by) == worker)
    result = session.execute(statement.values(position=position, lease_until=until))
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def leave_collector(session: Session, worker: str) -> None:
    """Let another process take over at once."""
    statement = update(AuditCollectorRow).where(col(AuditCollectorRow.leased_by) == worker)
    session.execute(statement.values(leased_by="", lease_until=0.0))
