"""Acts as the audit trail records them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from core.audit.recording import append_audit
from core.database import Database
from core.values.audit import Actor, AuditAction, AuditEvent

MORNING = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)


def build_event(**changes: Any) -> AuditEvent:
    told = {
        "actor": Actor("clinic", "clinician", "10.0.0.5"),
        "action": AuditAction.READ,
        "object_kind": "prediction",
        "object_id": "p1",
        "patients": (1,),
        "detail": {"route": "/v1/predictions/{prediction_id}", "filters": ["limit", "status"]},
    }
    return AuditEvent(**{**told, **changes})


def record_acts(database: Database, count: int = 3) -> None:
    """Record reads a minute apart, each of another patient."""
    for number in range(count):
        with database.transaction() as session:
            at = MORNING + timedelta(minutes=number)
            append_audit(session, build_event(patients=(number + 1,)), at)
