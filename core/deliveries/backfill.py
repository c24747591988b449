"""Planning for a destination what was reported before a rule named it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, select, tuple_

from core.clock import Clock, utc_now
from core.database import Database
from core.deliveries.letting_go import REVIEWED_KIND
from core.deliveries.planning import plan_deliveries
from core.deliveries.rules import ResultFacts
from core.reviews import last_reviews
from core.tables.instances import InstanceRow
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.tables.study_summaries import StudySummaryRow, SummaryState
from core.tables.summary_reports import SummaryReportRow
from core.values.prediction import PredictionStatus
from core.values.review import Review

#: Results planned in one transaction: others write between two.
_AT_ONCE = 100


class _Reported(NamedTuple):
    """A report, and what the rules ask of the results it tells of."""

    instance: InstanceRow
    kind: str
    facts: list[ResultFacts]


def plan_earlier(
    database: Database,
    since: datetime,
    on_request: Collection[str] = (),
    clock: Clock = utc_now,
) -> int:
    """Plan by the rules of now what was predicted, or settled, since then; return how many are new.

    What was planned before is left as it is, whatever became of it. Results that were replaced by a
    later one are not sent, nor superseded reports of both eyes. Of what a review withheld, the
    structured report goes together with the one that says so, or nothing does.

    Parameters
    ----------
    on_request
        Kinds that go only by rules that name them.
    """
    plan = _Plan(database, on_request, clock)
    return plan.of_results(since) + plan.of_both_eyes(since)


class _Plan:
    """One run."""

    def __init__(self, database: Database, on_request: Collection[str], clock: Clock) -> None:
        self._database, self._on_request, self._clock = database, on_request, clock

    def of_results(self, since: datetime) -> int:
        """Plan the reports of results, all of one result in one transaction."""
        planned, after = 0, ("", since)
        while True:
            with self._database.transaction() as session:
                results = _next_results(session, since, after)
                planned += self._plan(session, _reports_of(session, results))
                if not results:
                    return planned
                after = (results[-1].id, results[-1].predicted_at)

    def of_both_eyes(self, since: datetime) -> int:
        """Plan the reports of both eyes."""
        planned, after = 0, 0
        while True:
            with self._database.transaction() as session:
                summaries = _next_summaries(session, since, after)
                for summary in summaries:
                    planned += self._plan(session, _reports_of_both(session, summary))
                if not summaries:
                    return planned
                after = summaries[-1].id or after

    def _plan(self, session: Session, reports: Sequence[_Reported]) -> int:
        return sum(
            plan_deliveries(
                session,
                report.instance,
                report.kind,
                report.facts,
                self._clock,
                is_on_request=report.kind in self._on_request,
            )
            for report in reports
        )


def _next_results(
    session: Session, since: datetime, after: tuple[str, datetime]
) -> Sequence[PredictionRow]:
    place = tuple_(col(PredictionRow.predicted_at), col(PredictionRow.id))
    statement = (
        select(PredictionRow)
        .where(col(PredictionRow.predicted_at) >= since)
        .where(col(PredictionRow.status) != PredictionStatus.SUPERSEDED)
        .where(place > (after[1], after[0]))
        .order_by(col(PredictionRow.predicted_at), col(PredictionRow.id))
        .limit(_AT_ONCE)
    )
    return session.exec(statement).all()


def _reports_of(session: Session, results: Sequence[PredictionRow]) -> list[_Reported]:
    """Return what may go of these results, in the order it was written."""
    by_id = {row.id: row for row in results}
    statement = (
        select(InstanceRow, ReportRow)
        .join(ReportRow, col(ReportRow.instance_key) == col(InstanceRow.id))
        .where(col(ReportRow.prediction_id).in_(by_id), col(InstanceRow.bytes_removed_at).is_(None))
        .order_by(col(InstanceRow.id))
    )
    found = session.exec(statement).all()
    reported = {(row.prediction_id, row.version) for _, row in found}
    reviews = last_reviews(session, list(by_id))
    return [
        _Reported(instance, row.kind, [_facts_of(by_id[row.prediction_id])])
        for instance, row in found
        if _may_go(row, reviews.get(row.prediction_id), reported)
    ]


def _may_go(
    report: ReportRow, review: Review | None, reported: Collection[tuple[str, int]]
) -> bool:
    if review is None or not review.withholds_numbers:
        return True
    # Its own report is written later: then that goes by the same rules, and alone.
    is_told = (review.prediction_id, review.number) in reported
    return is_told and report.kind == REVIEWED_KIND


def _next_summaries(session: Session, since: datetime, after: int) -> Sequence[StudySummaryRow]:
    statement = (
        select(StudySummaryRow)
        .where(col(StudySummaryRow.state) == SummaryState.SETTLED)
        .where(col(StudySummaryRow.settled_at) >= since, col(StudySummaryRow.id) > after)
        .order_by(col(StudySummaryRow.id))
        .limit(_AT_ONCE)
    )
    return session.exec(statement).all()


def _reports_of_both(session: Session, summary: StudySummaryRow) -> list[_Reported]:
    told = [eye["current"] for eye in summary.eyes if eye["current"] and eye["laterality"]]
    results = session.exec(select(PredictionRow).where(col(PredictionRow.id).in_(told))).all()
    if not _still_holds(session, summary, results):
        return []
    statement = (
        select(InstanceRow, SummaryReportRow.kind)
        .join(SummaryReportRow, col(SummaryReportRow.instance_key) == col(InstanceRow.id))
        .where(col(SummaryReportRow.summary_key) == summary.id)
        .where(col(InstanceRow.bytes_removed_at).is_(None))
        .order_by(col(InstanceRow.id))
    )
    facts = [_facts_of(row) for row in results]
    return [_Reported(instance, kind, facts) for instance, kind in session.exec(statement).all()]


def _still_holds(
    session: Session, summary: StudySummaryRow, results: Sequence[PredictionRow]
) -> bool:
    """Whether nothing was replaced or withheld since: else a later version is on its way."""
    if any(row.status == PredictionStatus.SUPERSEDED for row in results):
        return False
    reviews = last_reviews(session, [row.id for row in results])
    withheld = {name for name, review in reviews.items() if review.withholds_numbers}
    return withheld == {
        result["prediction_id"]
        for eye in summary.eyes
        for result in eye["results"]
        if result.get("is_withheld") and result["prediction_id"] == eye["current"]
    }


def _facts_of(row: PredictionRow) -> ResultFacts:
    return ResultFacts(row.status, row.model_name, row.model_version, row.laterality)
