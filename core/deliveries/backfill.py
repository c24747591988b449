"""Planning for a destination what was reported before a rule named it."""

from datetime import datetime

from sqlmodel import Session, col, select

from core.clock import Clock, utc_now
from core.database import Database
from core.deliveries.planning import plan_deliveries
from core.deliveries.rules import ResultFacts
from core.tables.instances import InstanceRow
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.values.prediction import PredictionStatus

#: Reports planned in one transaction: others write between two.
_AT_ONCE = 200


def plan_earlier(database: Database, since: datetime, clock: Clock = utc_now) -> int:
    """Plan by the rules of now what was predicted since then; return how many are new.

    What was planned before is left as it is, whatever became of it. Results that were replaced by a
    later one are not sent.
    """
    planned, after = 0, 0
    while True:
        with database.transaction() as session:
            reports = _next(session, since, after)
            for instance, kind, facts in reports:
                planned += plan_deliveries(session, instance, kind, [facts], clock)
        if not reports:
            return planned
        after = reports[-1][0].id or after


def _next(
    session: Session, since: datetime, after: int
) -> list[tuple[InstanceRow, str, ResultFacts]]:
    statement = (
        select(InstanceRow, ReportRow.kind, PredictionRow)
        .join(ReportRow, col(ReportRow.instance_key) == col(InstanceRow.id))
        .join(PredictionRow, col(PredictionRow.id) == col(ReportRow.prediction_id))
        .where(col(PredictionRow.predicted_at) >= since)
        .where(col(PredictionRow.status) != PredictionStatus.SUPERSEDED)
        .where(col(InstanceRow.id) > after)
        .order_by(col(InstanceRow.id))
        .limit(_AT_ONCE)
    )
    return [
        (
            instance,
            kind,
            ResultFacts(row.status, row.model_name, row.model_version, row.laterality),
        )
        for instance, kind, row in session.exec(statement).all()
    ]
