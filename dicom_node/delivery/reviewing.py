"""The step that writes the report of a review and keeps it in the study of its scan."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydicom import Dataset
from sqlmodel import Session, col, select

from core import ledger
from core.clock import utc_now
from core.database import Database
from core.deliveries.letting_go import let_withheld_go
from core.deliveries.planning import plan_deliveries
from core.deliveries.rules import facts_of
from core.ledger import Claim
from core.logs import get_logger
from core.predictions import load_prediction
from core.reviews import load_review, reviews_of, withheld_predictions
from core.tables.columns import key_of
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.reports import ReportRow
from core.values.review import Review
from dicom_node.delivery.reporting import ask_anew
from dicom_node.storage.bytes import Storage
from dicom_node.storage.reports import WrittenReport, keep_report, write_report
from dicom_node.storage.retrieve import read_dataset
from reports.errors import ReportError
from reports.report import ReportKind
from reports.reviewed_report import reviewed_report

#: How long to wait for the report that this one follows.
_DELAY_SECONDS: Final = 1.0

_log = get_logger(__name__)


class PredecessorMissing(ReportError):
    """The report before this review was never built; retry its job first, then this one."""


@dataclass(frozen=True)
class ReviewStep:
    """Keeps one structured report for each review; each follows the one before."""

    database: Database
    storage: Storage
    organization: str = ""
    kind: JobKind = JobKind.REPORT_REVIEW
    group_size: int = 1

    def run(self, claims: Sequence[Claim]) -> None:
        """Report each claimed review."""
        for claimed in claims:
            self._report(claimed)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Leave it to the failed job to tell: the review itself stands without its report."""
        _log.error("review_not_reported", review=claim.subject, error=error)

    def _report(self, claimed: Claim) -> None:
        with self.database.reading() as session:
            review = load_review(session, claimed.subject)
            first = self._read(session, review.prediction_id, 0)
            predecessor = self._read(session, review.prediction_id, review.number - 1)
            is_coming = predecessor is None and _is_before_unfinished(session, review)
        if is_coming:
            with self.database.transaction() as session:
                ledger.give_back(session, claimed, _DELAY_SECONDS)
            return
        if first is None or predecessor is None:
            raise PredecessorMissing
        built = reviewed_report(first, predecessor, review, self.organization)
        written = write_report(self.storage, built)
        with self.database.transaction() as session:
            ledger.finish(session, claimed)
            self._keep(session, review, written)
        _log.info("review_reported", prediction=review.prediction_id, number=review.number)

    def _read(self, session: Session, prediction_id: str, version: int) -> Dataset | None:
        statement = (
            select(InstanceRow.sop_instance_uid)
            .join(ReportRow, col(ReportRow.instance_key) == col(InstanceRow.id))
            .where(col(ReportRow.prediction_id) == prediction_id)
            .where(col(ReportRow.kind) == ReportKind.STRUCTURED_REPORT)
            .where(col(ReportRow.version) == version)
        )
        uid = session.exec(statement).first()
        return None if uid is None else read_dataset(session, self.storage, uid)

    def _keep(self, session: Session, review: Review, report: WrittenReport) -> None:
        if withheld_predictions(session, [review.prediction_id]):
            # Once more: the report before may have been kept while the decision was recorded.
            let_withheld_go(session, review.prediction_id, utc_now())
        instance = keep_report(session, report)
        kind = ReportKind.STRUCTURED_REPORT
        if not ask_anew(session, review.prediction_id, report.identity):
            facts = facts_of(load_prediction(session, review.prediction_id))
            plan_deliveries(session, instance, kind, [facts])
        if session.get(ReportRow, (review.prediction_id, kind, review.number)) is None:
            row = ReportRow(
                prediction_id=review.prediction_id,
                kind=kind,
                version=review.number,
                instance_key=key_of(instance),
            )
            session.add(row)


def _is_before_unfinished(session: Session, review: Review) -> bool:
    """Whether the report that this one follows is still to be built."""
    if review.number == 1:
        kind, subject = JobKind.REPORT, review.prediction_id
    else:
        former = reviews_of(session, review.prediction_id)[review.number - 2]
        kind, subject = JobKind.REPORT_REVIEW, former.review_id
    unfinished = select(JobRow.id).where(
        col(JobRow.kind) == kind,
        col(JobRow.subject) == subject,
        col(JobRow.status).in_((JobStatus.QUEUED, JobStatus.RUNNING)),
    )
    return session.exec(unfinished).first() is not None
