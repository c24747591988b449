"""The step that writes the reports of both eyes once the summary of a study is settled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pydicom import Dataset
from sqlmodel import Session, col, select

from core import ledger
from core.both_eyes import latest_summary_reports, read_both_eyes
from core.database import Database
from core.deliveries.planning import plan_deliveries
from core.deliveries.rules import facts_of
from core.identities.locking import lock_study
from core.lease import Lease
from core.ledger import Claim
from core.logs import get_logger
from core.report_context import kept_reports
from core.settings import DEFAULT_LEASE_SECONDS
from core.tables.columns import key_of
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.reports import ReportRow
from core.tables.study_summaries import StudySummaryRow, SummaryState
from core.tables.summary_reports import SummaryReportRow
from core.values.both_eyes import BothEyes
from core.values.laterality import Laterality
from dicom_node.delivery.report_sources import read_headers
from dicom_node.delivery.reporting import Written, write_all
from dicom_node.storage.bytes import Storage
from dicom_node.storage.reports import WrittenReport, keep_report
from reports.both_eyes_format import BothEyesFormat
from reports.both_eyes_register import BOTH_EYES_FORMATS
from reports.checks import check_both_eyes
from reports.equipment import Equipment
from reports.report import ReportKind

#: How long the reports of the single eyes, which this one names, are waited for at a time.
_WAIT_SECONDS: Final = 0.5
_UNFINISHED: Final = (JobStatus.QUEUED, JobStatus.RUNNING)

_log = get_logger(__name__)


@dataclass(frozen=True)
class StudyReportStep:
    """Builds the reports of both eyes, each checked and kept as an instance of the study.

    Attributes
    ----------
    lease_seconds
        Of its claims, which it holds for as long as it builds.
    write_elsewhere
        Does what `write` does, in another process.
    """

    database: Database
    storage: Storage
    equipment: Equipment
    formats: Sequence[BothEyesFormat] = BOTH_EYES_FORMATS
    kind: JobKind = JobKind.REPORT_STUDY
    group_size: int = 1
    lease_seconds: float = DEFAULT_LEASE_SECONDS
    write_elsewhere: Callable[[int, BothEyes], Written] | None = None

    def run(self, claims: Sequence[Claim]) -> None:
        """Report each claimed version of a summary."""
        for claimed in claims:
            with self.database.reading() as session:
                both = _wanted(session, int(claimed.subject))
                is_early = both is not None and _awaits_an_eye(session, both)
            if is_early:
                with self.database.transaction() as session:
                    ledger.give_back(session, claimed, _WAIT_SECONDS)
                continue
            self._report(claimed, both)

    def _report(self, claimed: Claim, both: BothEyes | None) -> None:
        key = int(claimed.subject)
        written = [] if both is None else self._write_held(claimed, both)
        facts = [] if both is None else [facts_of(eye.prediction) for eye in both.eyes]
        with self.database.transaction() as session:
            _lock_study_of(session, key)
            now = _wanted(session, key)
            if now is not None and both is not None and _told_of(now) != _told_of(both):
                # Reviewed, or given to another patient, while it was written: written anew.
                ledger.give_back(session, claimed, _WAIT_SECONDS)
                return
            ledger.finish(session, claimed)
            # A scan may have been replaced while its former result was written.
            for kind, report in written if now is not None else ():
                plan_deliveries(session, self.keep(session, key, kind, report), kind, facts)
        _log.info("study_reported", summary=claimed.subject, reports=len(written))

    def _write_held(self, claimed: Claim, both: BothEyes) -> Written:
        with Lease(self.database, claimed, self.lease_seconds).held():
            return (self.write_elsewhere or self.write)(int(claimed.subject), both)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Leave it to the failed job to tell: the reports of the single eyes stand."""
        _log.error("study_not_reported", summary=claim.subject, error=error)

    def build(self, summary_key: int, both: BothEyes) -> list[tuple[ReportKind, Dataset]]:
        """Return the reports of both eyes, each compared with its predictions.

        Raises
        ------
        RecordNotFound
            If a scan is not kept.
        ReportError
            If scans and predictions do not fit each other, or a built report is wrong.
        """
        right, left = both.right.prediction, both.left.prediction
        of_eyes = col(ReportRow.prediction_id).in_([right.prediction_id, left.prediction_id])
        with self.database.reading() as session:
            sources = {
                Laterality.RIGHT: read_headers(session, self.storage, right),
                Laterality.LEFT: read_headers(session, self.storage, left),
            }
            kept = kept_reports(session, of_eyes)
            summary = session.get_one(StudySummaryRow, summary_key)
            before = latest_summary_reports(session, summary.study_key, summary.version)
        built = []
        for report_format in self.formats:
            report = report_format.build_both(both, sources, self.equipment, kept, before)
            check_both_eyes(report, both)
            built.append((report_format.kind, report))
        return built

    def write(self, summary_key: int, both: BothEyes) -> Written:
        """Build the reports of both eyes and write their bytes.

        Raises
        ------
        RecordNotFound, ReportError
            As `build`.
        StorageFull, StorageAway
            If the storage has no room, or fails.
        """
        return write_all(self.storage, self.build(summary_key, both))

    def keep(
        self, session: Session, summary_key: int, kind: ReportKind, report: WrittenReport
    ) -> InstanceRow:
        """Keep a report in the caller's transaction, once."""
        instance = keep_report(session, report)
        if session.get(SummaryReportRow, (summary_key, kind)) is None:
            key = key_of(instance)
            session.add(SummaryReportRow(summary_key=summary_key, kind=kind, instance_key=key))
        return instance


def _wanted(session: Session, summary_key: int) -> BothEyes | None:
    """Return what is to be reported; None where that is no longer so."""
    summary = session.get_one(StudySummaryRow, summary_key)
    if summary.state != SummaryState.SETTLED:
        return None
    both = read_both_eyes(session, summary)
    if both is None or not both.withheld:
        return both
    is_first = not latest_summary_reports(session, summary.study_key, summary.version)
    return None if is_first and not _may_begin(summary, both) else both


def _may_begin(summary: StudySummaryRow, both: BothEyes) -> bool:
    """Whether the first report of a study may be one that tells what must not be used."""
    decided = {review.prediction_id for review in both.withheld}
    told = {
        result["prediction_id"]
        for eye in summary.eyes
        for result in eye["results"]
        if result.get("is_withheld")
    }
    # A later decision opens the summary again, and the version after this one tells it. Of two eyes
    # that nobody must use there is nothing to tell together.
    return decided <= told and len(decided) < len(both.eyes)


def _lock_study_of(session: Session, summary_key: int) -> None:
    """Let nobody give the study to another patient until this report is kept."""
    lock_study(session, session.get_one(StudySummaryRow, summary_key).study_key)


def _told_of(both: BothEyes) -> tuple[object, ...]:
    """Return what may change while it is told: what is withheld, and whose it is."""
    return both.withheld, *(eye.prediction.patient for eye in both.eyes)


def _awaits_an_eye(session: Session, both: BothEyes) -> bool:
    """Return whether the report of an eye for itself is still to come."""
    statement = select(JobRow.id).where(
        col(JobRow.kind).in_((JobKind.REPORT, JobKind.REISSUE)),
        col(JobRow.subject).in_([eye.prediction.prediction_id for eye in both.eyes]),
        col(JobRow.status).in_(_UNFINISHED),
    )
    return session.exec(statement).first() is not None
