"""What each change adds to the totals."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.metrics.register import (
    BUCKETS_SECONDS,
    BYTES_RECEIVED,
    DELIVERIES_ENDED,
    INSTANCES_RECEIVED,
    JOBS_FAILED,
    OBJECTS_REFUSED,
    REPORTS_KEPT,
    RESULTS,
    STAGE_SECONDS,
    Metric,
    Stage,
)
from core.tables.changes import ChangeKind, ChangeRow
from core.tables.deliveries import DeliveryRow
from core.tables.destinations import DestinationRow
from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow
from core.tables.predictions import PredictionRow
from core.tables.quarantine import QuarantineRow
from core.tables.reports import ReportRow

#: Name of a metric, and the values of its labels.
Series = tuple[str, tuple[str, ...]]
Additions = Counter[Series]

#: The label of the bucket that has no limit, and of what a histogram keeps beside its buckets.
ABOVE: Final = "+Inf"
SUM: Final = "sum"
_OUTCOMES: Final = {
    ChangeKind.REPORT_DELIVERED: "delivered",
    ChangeKind.REPORT_COMMITTED: "committed",
    ChangeKind.DELIVERY_GAVE_UP: "gave_up",
}
_ARRIVALS: Final = (ChangeKind.INSTANCE_RECEIVED, ChangeKind.INSTANCE_REPLACED)


def additions_of(session: Session, changes: Sequence[ChangeRow]) -> Additions:
    """Return by how much each series grows. What is gone from the record adds nothing."""
    added: Additions = Counter()
    _add_arrivals(session, added, _subjects(changes, *_ARRIVALS))
    _add_refusals(session, added, _subjects(changes, ChangeKind.INSTANCE_QUARANTINED))
    _add_results(session, added, _subjects(changes, ChangeKind.PREDICTION_RECORDED))
    _add_failures(session, added, _subjects(changes, ChangeKind.JOB_FAILED))
    _add_reports(session, added, changes)
    for kind, outcome in _OUTCOMES.items():
        _add_deliveries(session, added, _subjects(changes, kind), outcome)
    return added


def _subjects(changes: Sequence[ChangeRow], *kinds: ChangeKind) -> list[str]:
    return [change.subject for change in changes if change.kind in kinds]


def _add_arrivals(session: Session, added: Additions, uids: Sequence[str]) -> None:
    statement = select(col(InstanceRow.sop_class_uid), col(InstanceRow.size_bytes)).where(
        col(InstanceRow.sop_instance_uid).in_(uids)
    )
    for sop_class_uid, size_bytes in _rows(session, statement, uids):
        _add(added, INSTANCES_RECEIVED, sop_class_uid)
        _add(added, BYTES_RECEIVED, by=size_bytes)


def _add_refusals(session: Session, added: Additions, keys: Sequence[str]) -> None:
    ids = [int(key) for key in keys]
    statement = select(col(QuarantineRow.code)).where(col(QuarantineRow.id).in_(ids))
    for (code,) in _rows(session, statement, ids):
        _add(added, OBJECTS_REFUSED, code)


def _add_results(session: Session, added: Additions, ids: Sequence[str]) -> None:
    earlier = (
        select(func.min(PredictionRow.predicted_at))
        .where(col(PredictionRow.instance_key) == col(InstanceRow.id))
        .correlate(InstanceRow)
        .scalar_subquery()
    )
    statement = (
        select(PredictionRow, col(InstanceRow.received_at), earlier.label("first"))
        .join(InstanceRow, col(InstanceRow.id) == col(PredictionRow.instance_key))
        .where(col(PredictionRow.id).in_(ids))
    )
    for row, received_at, first in _rows(session, statement, ids):
        _add(added, RESULTS, row.status, row.model_name, row.model_version)
        if row.predicted_at == first:
            _observe(added, Stage.ANALYSED, received_at, row.predicted_at)


def _add_failures(session: Session, added: Additions, keys: Sequence[str]) -> None:
    ids = [int(key) for key in keys]
    statement = select(col(JobRow.kind)).where(col(JobRow.id).in_(ids))
    for (kind,) in _rows(session, statement, ids):
        _add(added, JOBS_FAILED, kind)


def _add_reports(session: Session, added: Additions, changes: Sequence[ChangeRow]) -> None:
    kept = {
        change.subject: change.happened_at
        for change in changes
        if change.kind == ChangeKind.REPORT_KEPT
    }
    if kept:
        _add(added, REPORTS_KEPT, by=len(kept))
    statement = (
        select(col(InstanceRow.sop_instance_uid), col(PredictionRow.predicted_at))
        .join(ReportRow, col(ReportRow.instance_key) == col(InstanceRow.id))
        .join(PredictionRow, col(PredictionRow.id) == col(ReportRow.prediction_id))
        # Later versions follow a review, whenever that was.
        .where(col(InstanceRow.sop_instance_uid).in_(list(kept)), col(ReportRow.version) == 0)
    )
    for uid, predicted_at in _rows(session, statement, list(kept)):
        _observe(added, Stage.REPORTED, predicted_at, kept[uid])


def _add_deliveries(session: Session, added: Additions, keys: Sequence[str], outcome: str) -> None:
    ids = [int(key) for key in keys]
    scanned = InstanceRow.__table__.alias()  # type: ignore[attr-defined]
    statement = (
        select(DeliveryRow, col(DestinationRow.name), scanned.c.received_at, col(ReportRow.version))
        .join(DestinationRow, col(DestinationRow.id) == col(DeliveryRow.destination_id))
        .outerjoin(ReportRow, col(ReportRow.instance_key) == col(DeliveryRow.instance_key))
        .outerjoin(PredictionRow, col(PredictionRow.id) == col(ReportRow.prediction_id))
        .outerjoin(scanned, scanned.c.id == col(PredictionRow.instance_key))
        .where(col(DeliveryRow.id).in_(ids))
    )
    for row, destination, received_at, version in _rows(session, statement, ids):
        _add(added, DELIVERIES_ENDED, destination, outcome)
        if outcome == "delivered":
            _observe(added, Stage.DELIVERED, row.created_at, row.delivered_at)
            if version == 0:
                _observe(added, Stage.WHOLE_WAY, received_at, row.delivered_at)


def _rows(session: Session, statement: Any, wanted: Sequence[Any]) -> Sequence[Any]:
    return session.execute(statement).all() if wanted else ()


def _add(added: Additions, metric: Metric, *labels: str, by: int = 1) -> None:
    added[metric.name, labels] += by


def _observe(added: Additions, stage: Stage, begin: datetime | None, end: datetime | None) -> None:
    if begin is None or end is None:
        return
    # Two hosts' clocks may differ by a little.
    seconds = max(0.0, (end - begin).total_seconds())
    limit = next((str(limit) for limit in BUCKETS_SECONDS if seconds <= limit), ABOVE)
    added[STAGE_SECONDS.name, (stage, limit)] += 1
    added[STAGE_SECONDS.name, (stage, SUM)] += seconds  # type: ignore[assignment]
