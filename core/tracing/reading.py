"""From changes of the feed to spans, by the times in the rows."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.tables.changes import ChangeKind, ChangeRow
from core.tables.deliveries import DeliveryRow
from core.tables.destinations import DestinationRow
from core.tables.instances import InstanceOrigin, InstanceRow
from core.tables.jobs import JobKind, JobRow
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.tracing.spans import ANALYSE, DELIVER, RECEIVE, REPORT, Span

_ARRIVALS = (ChangeKind.INSTANCE_RECEIVED, ChangeKind.INSTANCE_REPLACED)
_ENDS = (ChangeKind.REPORT_DELIVERED, ChangeKind.DELIVERY_GAVE_UP)


def spans_of(session: Session, changes: Sequence[ChangeRow]) -> list[Span]:
    """Return the stretches that ended with these changes; what is gone has none."""
    return [
        *_received(session, _subjects(changes, *_ARRIVALS)),
        *_analysed(session, _subjects(changes, ChangeKind.PREDICTION_RECORDED)),
        *_not_analysed(session, _subjects(changes, ChangeKind.JOB_FAILED)),
        *_reported(session, changes),
        *_delivered(session, _subjects(changes, *_ENDS)),
    ]


def _subjects(changes: Sequence[ChangeRow], *kinds: ChangeKind) -> list[str]:
    return [change.subject for change in changes if change.kind in kinds]


def _received(session: Session, uids: Sequence[str]) -> Iterator[Span]:
    statement = select(InstanceRow).where(
        col(InstanceRow.sop_instance_uid).in_(uids),
        col(InstanceRow.origin) == InstanceOrigin.RECEIVED,
    )
    for (row,) in _rows(session, statement, uids):
        attributes = {
            "arcuate.peer": row.calling_ae_title,
            "dicom.sop_class_uid": row.sop_class_uid,
            "dicom.transfer_syntax_uid": row.transfer_syntax_uid,
            "arcuate.size_bytes": row.size_bytes,
        }
        yield Span(RECEIVE, row.digest, "", row.received_at, row.received_at, attributes)


def _analysed(session: Session, ids: Sequence[str]) -> Iterator[Span]:
    statement = (
        select(PredictionRow, InstanceRow)
        .join(InstanceRow, col(InstanceRow.id) == col(PredictionRow.instance_key))
        .where(col(PredictionRow.id).in_(ids))
    )
    for row, instance in _rows(session, statement, ids):
        attributes = {
            "arcuate.status": row.status,
            "arcuate.model": f"{row.model_name}:{row.model_version}",
            "arcuate.reasons": " ".join(reason["code"] for reason in row.reasons),
            "arcuate.device": f"{row.manufacturer} {row.manufacturer_model_name}".strip(),
        }
        begin, end = instance.received_at, row.predicted_at
        yield Span(ANALYSE, instance.digest, row.id, begin, max(begin, end), attributes)


def _not_analysed(session: Session, keys: Sequence[str]) -> Iterator[Span]:
    ids = [int(key) for key in keys]
    statement = select(JobRow).where(col(JobRow.id).in_(ids), col(JobRow.kind) == JobKind.ANALYSE)
    for (job,) in _rows(session, statement, ids):
        instance = session.get(InstanceRow, int(job.subject))
        if instance is not None and job.finished_at is not None:
            attributes = {"arcuate.attempts": job.attempts}
            begin, end = job.created_at, max(job.created_at, job.finished_at)
            subject = f"job {job.id}"
            # Not the error's text: its kind is told, the page of the queue says more.
            yield Span(ANALYSE, instance.digest, subject, begin, end, attributes, "job_failed")


def _reported(session: Session, changes: Sequence[ChangeRow]) -> Iterator[Span]:
    kept = {c.subject: c.happened_at for c in changes if c.kind == ChangeKind.REPORT_KEPT}
    statement = (
        _with_scan(select(ReportRow, _REPORT.c.sop_instance_uid, PredictionRow, InstanceRow))
        .where(_REPORT.c.sop_instance_uid.in_(list(kept)))
        # Later versions follow a review, whenever that was.
        .where(col(ReportRow.version) == 0)
    )
    for report, uid, prediction, scan in _rows(session, statement, list(kept)):
        begin, end = prediction.predicted_at, max(prediction.predicted_at, kept[uid])
        subject = f"{prediction.id}:{report.kind}"
        yield Span(REPORT, scan.digest, subject, begin, end, {"arcuate.report": report.kind})


def _delivered(session: Session, keys: Sequence[str]) -> Iterator[Span]:
    ids = [int(key) for key in keys]
    statement = (
        _with_scan(select(DeliveryRow, col(DestinationRow.name), InstanceRow))
        .join(DeliveryRow, col(DeliveryRow.instance_key) == _REPORT.c.id)
        .join(DestinationRow, col(DestinationRow.id) == col(DeliveryRow.destination_id))
        .where(col(DeliveryRow.id).in_(ids))
    )
    for row, destination, scan in _rows(session, statement, ids):
        end = row.delivered_at or row.gave_up_at
        attributes = {
            "arcuate.destination": destination,
            "arcuate.report": row.report_kind,
            "arcuate.attempts": row.attempts,
        }
        error = None if row.delivered_at else "gave_up"
        if end is not None:
            span_end = max(row.created_at, end)
            yield Span(
                DELIVER, scan.digest, str(row.id), row.created_at, span_end, attributes, error
            )


#: The instance that is a report, beside the one that was scanned.
_REPORT = InstanceRow.__table__.alias()  # type: ignore[attr-defined]


def _with_scan(statement: Any) -> Any:
    """Join a report with its instance, its prediction and the scan of that."""
    return (
        statement.select_from(ReportRow)
        .join(_REPORT, _REPORT.c.id == col(ReportRow.instance_key))
        .join(PredictionRow, col(PredictionRow.id) == col(ReportRow.prediction_id))
        .join(InstanceRow, col(InstanceRow.id) == col(PredictionRow.instance_key))
    )


def _rows(session: Session, statement: Any, wanted: Sequence[Any]) -> Sequence[Any]:
    return session.execute(statement).all() if wanted else ()
