"""Looking entries up: newest first, by patient, actor, action and time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from core.tables.audit_entries import AuditEntryRow, AuditPatientRow
from core.values.audit import AuditAction, AuditOutcome


@dataclass(frozen=True)
class AuditFilter:
    """Which entries; None leaves open.

    Attributes
    ----------
    patient_key
        Key of the patient's row, as in the address of the patient's page.
    since, until
        From this moment on, and before that one.
    """

    patient_key: int | None = None
    actor: str | None = None
    action: AuditAction | None = None
    outcome: AuditOutcome | None = None
    object_kind: str | None = None
    object_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def select_entries(wanted: AuditFilter) -> Any:
    """Return the statement of the entries that match, in no order yet."""
    return select(AuditEntryRow).where(*_conditions(wanted))


def newest_entries(
    session: Session, wanted: AuditFilter, limit: int, before: int | None = None
) -> Sequence[AuditEntryRow]:
    """Return at most so many entries that match, newest first.

    Parameters
    ----------
    before
        Only entries with a smaller number.
    """
    statement = select_entries(wanted)
    if before is not None:
        statement = statement.where(col(AuditEntryRow.number) < before)
    rows: Sequence[AuditEntryRow] = session.exec(
        statement.order_by(col(AuditEntryRow.number).desc()).limit(limit)
    ).all()
    return rows


def entries_after(session: Session, number: int, limit: int) -> Sequence[AuditEntryRow]:
    """Return at most so many entries later than a number, in order."""
    statement = select(AuditEntryRow).where(col(AuditEntryRow.number) > number)
    return session.exec(statement.order_by(col(AuditEntryRow.number)).limit(limit)).all()


def _conditions(wanted: AuditFilter) -> list[Any]:
    equal = {
        "actor": wanted.actor,
        "action": wanted.action,
        "outcome": wanted.outcome,
        "object_kind": wanted.object_kind,
        "object_id": wanted.object_id,
    }
    conditions: list[Any] = [
        getattr(AuditEntryRow, name) == value for name, value in equal.items() if value is not None
    ]
    if wanted.since is not None:
        conditions.append(col(AuditEntryRow.at) >= wanted.since)
    if wanted.until is not None:
        conditions.append(col(AuditEntryRow.at) < wanted.until)
    if wanted.patient_key is not None:
        named = select(AuditPatientRow.number)
        named = named.where(col(AuditPatientRow.patient_key) == wanted.patient_key)
        conditions.append(col(AuditEntryRow.number).in_(named))
    return conditions
