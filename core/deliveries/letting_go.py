"""What was to be sent and must not be any more, because it no longer holds."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from core.deliveries.destinations import UNSENT
from core.tables.deliveries import DeliveryRow, DeliveryState
from core.tables.instances import InstanceRow
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.tables.series import SeriesRow
from core.tables.study_summaries import StudySummaryRow
from core.tables.summary_reports import SummaryReportRow

#: Why a report that names a former patient goes nowhere.
IDENTITY_CORRECTED: Final = "A report with the corrected identity goes instead"
#: The kind of report that a review is told in; of what nobody must use no other is sent.
REVIEWED_KIND: Final = "sr"
_WITHHELD: Final = "A person said that the result must not be used"


def let_go(session: Session, instance_keys: Collection[int], cause: str, at: datetime) -> int:
    """Have objects sent nowhere, in the caller's transaction; return how many deliveries end so.

    What was given up ends, too: somebody may send all of a destination again. What is on its way at
    this moment may still arrive, but is not tried again. What arrived stays on record. Whoever
    records how an attempt ended has the delivery before the number of a change: call it before
    `append_change`.
    """
    statement = (
        select(DeliveryRow)
        .where(col(DeliveryRow.instance_key).in_(instance_keys))
        .where(col(DeliveryRow.state).in_((*UNSENT, DeliveryState.GAVE_UP)))
        .where(col(DeliveryRow.dismissed_at).is_(None))
        .order_by(col(DeliveryRow.id))
        .with_for_update()
    )
    rows = session.exec(statement).all()
    for row in rows:
        row.state, row.error, row.available_at = DeliveryState.GAVE_UP, cause, None
        row.gave_up_at, row.dismissed_at = row.gave_up_at or at, at
    session.flush()
    return len(rows)


def let_withheld_go(session: Session, prediction_id: str, at: datetime) -> int:
    """Have pictures and pages with the numbers of a result sent nowhere that nobody must use.

    Those of both eyes, too, which a later version follows; not that version, which says what must
    not be used. The structured reports go; what follows each says the decision. See `let_go`.
    """
    of_eye = select(ReportRow.instance_key).where(
        col(ReportRow.prediction_id) == prediction_id, col(ReportRow.kind) != REVIEWED_KIND
    )
    of_both = (
        select(SummaryReportRow.instance_key, StudySummaryRow)
        .join(StudySummaryRow, col(StudySummaryRow.id) == col(SummaryReportRow.summary_key))
        .join(SeriesRow, col(SeriesRow.study_key) == col(StudySummaryRow.study_key))
        .join(InstanceRow, col(InstanceRow.series_key) == col(SeriesRow.id))
        .join(PredictionRow, col(PredictionRow.instance_key) == col(InstanceRow.id))
        .where(col(PredictionRow.id) == prediction_id, col(SummaryReportRow.kind) != REVIEWED_KIND)
    )
    with_numbers = {key for key, row in session.exec(of_both) if not _says(row, prediction_id)}
    return let_go(session, {*session.exec(of_eye).all(), *with_numbers}, _WITHHELD, at)


def _says(summary: StudySummaryRow, prediction_id: str) -> bool:
    """Whether a version of a summary knows already that a result must not be used."""
    results = (result for eye in summary.eyes for result in eye["results"])
    return any(r["prediction_id"] == prediction_id and r.get("is_withheld") for r in results)
