"""Recording an act, in the transaction of the act itself or of its own."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from core.clock import utc_now
from core.database import Database
from core.driver_statement import DriverStatement
from core.errors import InfrastructureError
from core.tables.audit_entries import WaitingAuditRow
from core.tables.columns import table_of
from core.values.audit import AuditEvent, DetailValue

#: Patients one entry names; a search that finds more says how many it leaves out.
MOST_PATIENTS: Final = 1000
#: Items of one list in the detail.
_MOST_ITEMS: Final = 200
_LONGEST_TEXT: Final = 256
_TABLE: Final = table_of(WaitingAuditRow)
_INSERT: Final = DriverStatement(
    lambda _dialect: insert(_TABLE).values(
        {
            column.name: bindparam(column.name, type_=column.type)
            for column in _TABLE.columns
            if not column.primary_key
        }
    )
)


class AuditNotWritten(InfrastructureError):
    """The audit trail cannot be written, and nothing is served or changed without it."""


def append_audit(session: Session, event: AuditEvent, at: datetime | None = None) -> None:
    """Record an act in the caller's transaction; a moment later it has its place in the chain.

    It takes no lock, so it may stand anywhere in a transaction.

    Raises
    ------
    AuditNotWritten
        If it cannot be recorded; the transaction fails with it, and so does whatever it records.
    """
    _insert(session.connection(), event, at or utc_now())


def note_audit(database: Database, event: AuditEvent) -> None:
    """Record that something was read or looked for, before it is shown.

    The entry need not have reached the disk then: see `Database.noting`.

    Raises
    ------
    AuditNotWritten, DatabaseAway
        If it cannot be recorded; nothing may be shown then.
    """
    with database.noting() as connection:
        _insert(connection, event, utc_now())


def _insert(connection: Connection, event: AuditEvent, at: datetime) -> None:
    try:
        _INSERT.run(connection, _values(event, at))
    except SQLAlchemyError as error:
        cause = type(getattr(error, "orig", None) or error).__name__
        raise AuditNotWritten(f"{AuditNotWritten.__doc__} ({cause})") from error


def _values(event: AuditEvent, at: datetime) -> dict[str, Any]:
    patients = sorted(set(event.patients))
    detail = {_plain(name): _value(value) for name, value in event.detail.items()}
    if len(patients) > MOST_PATIENTS:
        detail["patients_left_out"] = len(patients) - MOST_PATIENTS
    return {
        "at": at,
        "actor": _plain(event.actor.name),
        "actor_role": _plain(event.actor.role),
        "address": _plain(event.actor.address),
        "action": str(event.action),
        "object_kind": _plain(event.object_kind),
        "object_id": _plain(event.object_id),
        "patients": patients[:MOST_PATIENTS],
        "outcome": str(event.outcome),
        "detail": detail,
    }


def _value(value: DetailValue) -> Any:
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, int):
        return value
    listed = [_plain(one) for one in value[:_MOST_ITEMS]]
    left_out = len(value) - len(listed)
    return [*listed, f"and {left_out} more"] if left_out else listed


def _plain(text: str) -> str:
    # An AE title or the name of a parameter is a stranger's text.
    return "".join(one if one.isprintable() else "?" for one in text[:_LONGEST_TEXT])
