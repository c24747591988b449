"""How an attempt ended, written down; each function within the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from sqlmodel import Session

from core.audit.recording import append_audit
from core.audit.subjects import patients_of
from core.changes import append_change
from core.clock import Clock, utc_now
from core.database import database_seconds
from core.deliveries.destinations import close_circuit
from core.deliveries.pauses import pause_seconds
from core.tables.changes import ChangeKind
from core.tables.columns import key_of
from core.tables.deliveries import CommitmentState, DeliveryRow, DeliveryState
from core.tables.destinations import CircuitState, DestinationRow
from core.values.audit import Actor, AuditAction, AuditEvent, AuditOutcome

#: Objects that fail in a row before the destination itself is taken for down.
FAILURES_TO_OPEN: Final = 5
#: Who sends, in the audit trail.
_SENDER: Final = Actor("arcuate", "deliver")
#: Whoever asks to be left alone for longer is tried all the same: what waits is somebody's result.
LONGEST_ASKED_PAUSE_SECONDS: Final = 3600.0


@dataclass(frozen=True)
class Patience:
    """How long is tried; see the settings of the same names."""

    attempts: int
    longest_pause_seconds: float


@dataclass(frozen=True)
class Arrived:
    """What a destination took.

    Attributes
    ----------
    remark
        What it said beside; empty for nothing.
    asks_commitment
        Whether it is to be asked to commit to keeping it.
    learned
        What the target found out about the destination.
    """

    sop_class_uid: str
    sop_instance_uid: str
    remark: str = ""
    asks_commitment: bool = False
    learned: Mapping[str, Any] = field(default_factory=dict)


def record_delivered(
    session: Session,
    destination: DestinationRow,
    row: DeliveryRow,
    arrived: Arrived,
    clock: Clock = utc_now,
) -> None:
    """Record that the destination took an object."""
    now = clock()
    row.state, row.delivered_at, row.failing_since = DeliveryState.DELIVERED, now, None
    if arrived.asks_commitment and row.sent_sop_instance_uid is None:
        # From here on they count how often it was sent: what is lacking is sent once more.
        row.attempts = 1
    row.sent_sop_class_uid = arrived.sop_class_uid
    row.sent_sop_instance_uid = arrived.sop_instance_uid
    row.error = arrived.remark or None
    row.available_at = None
    if arrived.asks_commitment:
        row.commitment = CommitmentState.ASKED
        row.commitment_requests, row.available_at = 0, database_seconds(session)
    _answered(destination, arrived.learned)
    destination.last_success_at = now
    session.flush()
    append_audit(session, _act(session, destination, row, AuditOutcome.SUCCESS), now)
    append_change(session, ChangeKind.REPORT_DELIVERED, str(key_of(row)))


def record_refused(
    session: Session,
    destination: DestinationRow,
    row: DeliveryRow,
    cause: str,
    learned: Mapping[str, Any],
    clock: Clock = utc_now,
) -> None:
    """Record that the destination answers, but will never take this object."""
    if _ends_here(destination, row):
        return
    _answered(destination, learned)
    destination.last_error, destination.last_error_at = cause, clock()
    _give_up(session, destination, row, cause, clock)


def record_failed(
    session: Session,
    destination: DestinationRow,
    row: DeliveryRow,
    cause: str,
    patience: Patience,
    clock: Clock = utc_now,
) -> None:
    """Record that an object did not arrive this time.

    It is given up only where others arrived since it began to fail: then the destination is well
    and the object is not. Where the destination was removed meanwhile, or the object is to go
    nowhere any more, its end is on record.
    """
    if _ends_here(destination, row):
        return
    now = clock()
    destination.failures += 1
    if destination.failures >= FAILURES_TO_OPEN or destination.circuit != CircuitState.CLOSED:
        _open(destination, patience, clock)
    destination.last_error, destination.last_error_at = cause, now
    row.failing_since = row.failing_since or now
    others_arrived = (
        destination.last_success_at is not None and destination.last_success_at > row.failing_since
    )
    if row.attempts >= patience.attempts and others_arrived:
        _give_up(session, destination, row, cause, clock)
        return
    row.state, row.error = DeliveryState.WAITING, cause
    pause = pause_seconds(row.attempts, patience.longest_pause_seconds)
    row.available_at = database_seconds(session) + pause


def record_interrupted(
    session: Session,
    destination: DestinationRow,
    row: DeliveryRow,
    cause: str,
    patience: Patience,
    clock: Clock = utc_now,
) -> None:
    """Record that the process that sent an object ended; no fault of the destination's."""
    failures, circuit = destination.failures, destination.circuit
    record_failed(session, destination, row, cause, patience, clock)
    destination.failures, destination.circuit = failures, circuit
    if row.state == DeliveryState.WAITING and row.attempts == 1:
        row.available_at = database_seconds(session)


def record_down(
    destination: DestinationRow,
    cause: str,
    patience: Patience,
    clock: Clock = utc_now,
    *,
    asked_pause_seconds: float | None = None,
) -> float:
    """Record that the destination does not answer; return for how many seconds it is left alone.

    Parameters
    ----------
    asked_pause_seconds
        For how long it asked to be left alone; it is, for an hour at most.
    """
    destination.failures += 1
    destination.last_error, destination.last_error_at = cause, clock()
    return _open(destination, patience, clock, asked_pause_seconds or 0.0)


def _ends_here(destination: DestinationRow, row: DeliveryRow) -> bool:
    """Whether an object is to go nowhere any more; then it is not left on its way."""
    if row.dismissed_at is not None:
        row.state, row.available_at = DeliveryState.GAVE_UP, None
    return destination.removed_at is not None or row.dismissed_at is not None


def _open(
    destination: DestinationRow, patience: Patience, clock: Clock, at_least_seconds: float = 0.0
) -> float:
    pause = pause_seconds(destination.failures, patience.longest_pause_seconds)
    pause = max(pause, min(at_least_seconds, LONGEST_ASKED_PAUSE_SECONDS))
    destination.circuit = CircuitState.OPEN
    destination.retry_at = clock() + timedelta(seconds=pause)
    return pause


def _answered(destination: DestinationRow, learned: Mapping[str, Any]) -> None:
    close_circuit(destination)
    if learned:
        destination.learned = {**destination.learned, **learned}


def _give_up(
    session: Session, destination: DestinationRow, row: DeliveryRow, cause: str, clock: Clock
) -> None:
    row.state, row.error, row.gave_up_at = DeliveryState.GAVE_UP, cause, clock()
    row.available_at = None
    session.flush()
    append_audit(session, _act(session, destination, row, AuditOutcome.FAILED), clock())
    append_change(session, ChangeKind.DELIVERY_GAVE_UP, str(key_of(row)))


def _act(
    session: Session, destination: DestinationRow, row: DeliveryRow, outcome: AuditOutcome
) -> AuditEvent:
    key = str(key_of(row))
    detail = {"destination": destination.name, "kind": destination.kind, "report": row.report_kind}
    return AuditEvent(
        _SENDER,
        AuditAction.DELIVER,
        "delivery",
        key,
        patients_of(session, "delivery", key),
        outcome,
        detail,
    )
