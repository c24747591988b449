"""Recording an act, in the transaction of the act itself or of its own."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from core.clock import utc_now
from core.errors import InfrastructureError
from core.tables.audit_entries import WaitingAuditRow
from core.values.audit import AuditEvent, DetailValue

#: Patients one entry names; a search that finds more says how many it leaves out.
MOST_PATIENTS: Final = 1000
#: Items of one list in the detail.
_MOST_ITEMS: Final = 200
_LONGEST_TEXT: Final = 256


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
    patients = sorted(set(event.patients))
    detail = {_plain(name): _value(value) for name, value in event.detail.items()}
    if len(patients) > MOST_PATIENTS:
        detail["patients_left_out"] = len(patients) - MOST_PATIENTS
    session.add(
        WaitingAuditRow(
            at=at or utc_now(),
            actor=_plain(event.actor.name),
            actor_role=_plain(event.actor.role),
            address=_plain(event.actor.address),
            action=event.action,
            object_kind=_plain(event.object_kind),
            object_id=_plain(event.object_id),
            patients=patients[:MOST_PATIENTS],
            outcome=event.outcome,
            detail=detail,
        )
    )
    try:
        session.flush()
    except SQLAlchemyError as error:
        cause = type(getattr(error, "orig", None) or error).__name__
        raise AuditNotWritten(f"{AuditNotWritten.__doc__} ({cause})") from error


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
