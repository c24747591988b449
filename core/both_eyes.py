"""Reads both eyes of a settled summary, and the reports that were kept of summaries."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from core.predictions import load_prediction
from core.reviews import last_reviews
from core.tables.instances import InstanceRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.tables.study_summaries import StudySummaryRow
from core.tables.summary_reports import SummaryReportRow
from core.values.both_eyes import BothEyes, EyeOfStudy
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.report_context import KeptReport


def read_both_eyes(session: Session, summary: StudySummaryRow) -> BothEyes | None:
    """Return both eyes as a settled version tells them; None where one has no result.

    What was replaced since is no result. What a person said must not be used is told as such, with
    the decision.
    """
    told = {eye["laterality"]: eye for eye in summary.eyes}
    right, left = (_eye_of(session, told.get(side)) for side in Laterality)
    if right is None or left is None or summary.settled_at is None:
        return None
    study = session.get_one(StudyRow, summary.study_key)
    return BothEyes(
        study_instance_uid=study.study_instance_uid,
        version=summary.version,
        settled_at=summary.settled_at,
        right=right,
        left=left,
        missing=summary.missing,
        of_neither=len(told[None]["results"]) if None in told else 0,
    )


def latest_summary_reports(
    session: Session, study_key: int, before_version: int
) -> tuple[KeptReport, ...]:
    """Return the reports of the latest version before one of which any are kept."""
    statement = (
        select(StudySummaryRow.version, SummaryReportRow.kind)
        .add_columns(col(StudyRow.study_instance_uid), col(SeriesRow.series_instance_uid))
        .add_columns(col(InstanceRow.sop_class_uid), col(InstanceRow.sop_instance_uid))
        .join(SummaryReportRow, col(SummaryReportRow.summary_key) == col(StudySummaryRow.id))
        .join(InstanceRow, col(InstanceRow.id) == col(SummaryReportRow.instance_key))
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .where(
            col(StudySummaryRow.study_key) == study_key,
            col(StudySummaryRow.version) < before_version,
        )
        .order_by(col(StudySummaryRow.version).desc(), col(InstanceRow.id))
    )
    found = session.execute(statement).all()
    return tuple(KeptReport(*row[1:]) for row in found if row[0] == found[0][0])


def _eye_of(session: Session, told: Mapping[str, Any] | None) -> EyeOfStudy | None:
    if told is None or told["current"] is None:
        return None
    current = load_prediction(session, told["current"])
    if current.status is PredictionStatus.SUPERSEDED:
        return None
    last = last_reviews(session, [current.prediction_id]).get(current.prediction_id)
    return EyeOfStudy(
        current,
        results=len(told["results"]),
        mean_deviation_range_db=told["mean_deviation_range_db"],
        disagree=told["disagree"],
        withheld=last if last is not None and last.withholds_numbers else None,
    )
