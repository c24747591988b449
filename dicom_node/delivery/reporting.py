"""The step that writes the reports of a prediction and keeps them in the study of its scan."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydicom import Dataset
from sqlmodel import Session, col, select

from core import ledger
from core.database import Database
from core.deliveries.letting_go import REVIEWED_KIND
from core.deliveries.planning import plan_deliveries
from core.deliveries.rules import facts_of, is_named
from core.lease import Lease
from core.ledger import Claim
from core.logs import get_logger
from core.predictions import load_patient, load_prediction
from core.report_context import read_context
from core.reviews import withheld_predictions
from core.settings import DEFAULT_LEASE_SECONDS
from core.tables.columns import key_of
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind
from core.tables.reports import ReportRow
from core.tables.studies import StudyRow
from core.values.prediction import Prediction
from dicom_node.delivery.corrected_headers import says_what_was_corrected
from dicom_node.delivery.report_sources import load_with_picture, read_headers
from dicom_node.storage.bytes import Storage
from dicom_node.storage.reports import WrittenReport, keep_report, write_reports
from reports.checks import check_report
from reports.equipment import Equipment
from reports.register import DEFAULT_FORMATS, ON_REQUEST_FORMATS
from reports.report import ReportFormat, ReportKind
from reports.source import comparable

#: Reports on the disk that are to be kept, and what each is.
Written = Sequence[tuple[ReportKind, WrittenReport]]

_log = get_logger(__name__)


@dataclass(frozen=True)
class ReportStep:
    """Builds reports of a prediction, each checked and kept as an instance of the same study.

    Attributes
    ----------
    formats
        What is built; a report that is kept already stays as it is.
    on_request
        What is built, too, where a rule of delivery names its kind.
    lease_seconds
        Of its claims, which it holds for as long as it builds.
    write_elsewhere
        Does what `write` does, in another process.
    """

    database: Database
    storage: Storage
    equipment: Equipment
    formats: Sequence[ReportFormat] = DEFAULT_FORMATS
    on_request: Sequence[ReportFormat] = ON_REQUEST_FORMATS
    kind: JobKind = JobKind.REPORT
    group_size: int = 1
    lease_seconds: float = DEFAULT_LEASE_SECONDS
    write_elsewhere: Callable[[str], Written] | None = None

    def run(self, claims: Sequence[Claim]) -> None:
        """Report each claimed prediction."""
        for claimed in claims:
            with Lease(self.database, claimed, self.lease_seconds).held():
                written = (self.write_elsewhere or self.write)(claimed.subject)
            with self.database.transaction() as session:
                # The job first: whoever withdraws it has its row and then waits for a number.
                ledger.finish(session, claimed)
                for kind, report in written:
                    self.keep(session, claimed.subject, kind, report)
            _log.info("prediction_reported", prediction=claimed.subject)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Leave it to the failed job to tell: the prediction itself stands without its reports."""
        _log.error("prediction_not_reported", prediction=claim.subject, error=error)

    def write(self, prediction_id: str) -> Written:
        """Build the reports of a prediction and write their bytes.

        Raises
        ------
        RecordNotFound, ReportError
            As `build`.
        StorageFull, StorageAway
            If the storage has no room, or fails.
        """
        return write_all(self.storage, self.build(prediction_id))

    def build(self, prediction_id: str) -> list[tuple[ReportKind, Dataset]]:
        """Return the reports of a prediction, each compared with it.

        Raises
        ------
        RecordNotFound
            If the prediction or its scan is not kept.
        ReportError
            If they do not fit each other, or a built report is wrong.
        """
        with self.database.reading() as session:
            prediction = load_with_picture(session, self.storage, prediction_id)
            sources = read_headers(session, self.storage, prediction)
            context = read_context(session, prediction_id)
            formats = self._wanted(session, prediction)
        built = []
        for report_format in formats:
            report = report_format.build(prediction, sources, self.equipment, context)
            check_report(report, prediction)
            built.append((report_format.kind, report))
        return built

    def keep(
        self, session: Session, prediction_id: str, kind: ReportKind, report: WrittenReport
    ) -> None:
        """Keep a report in the caller's transaction, and plan where it goes; once."""
        instance = keep_report(session, report)
        # What is asked for anew goes out then: nothing leaves that names a former patient.
        if not ask_anew(session, prediction_id, report.identity):
            self.plan(session, prediction_id, kind, instance)
        if session.get(ReportRow, (prediction_id, kind, 0)) is None:
            key = key_of(instance)
            row = ReportRow(prediction_id=prediction_id, kind=kind, instance_key=key)
            session.add(row)

    def plan(self, session: Session, prediction_id: str, kind: str, instance: InstanceRow) -> None:
        """Plan where a report of a prediction goes; once.

        Of what a review withheld only the structured report goes: the one that follows says so.
        """
        if kind != REVIEWED_KIND and withheld_predictions(session, [prediction_id]):
            return
        is_on_request = all(report_format.kind != kind for report_format in self.formats)
        facts = [facts_of(load_prediction(session, prediction_id))]
        plan_deliveries(session, instance, kind, facts, is_on_request=is_on_request)

    def _wanted(self, session: Session, prediction: Prediction) -> list[ReportFormat]:
        facts, known = (
            [facts_of(prediction)],
            {report_format.kind for report_format in self.formats},
        )
        asked = [f for f in self.on_request if f.kind not in known]
        return [*self.formats, *(f for f in asked if is_named(session, f.kind, facts))]


def write_all(storage: Storage, built: Sequence[tuple[ReportKind, Dataset]]) -> Written:
    """Write the bytes of reports; the errors are those of `write_reports`."""
    written = write_reports(storage, [report for _, report in built])
    return [(kind, report) for (kind, _), report in zip(built, written, strict=True)]


def ask_anew(session: Session, prediction_id: str, report: Dataset) -> bool:
    """Have a report built anew where its patient was corrected while it was built.

    Returns
    -------
    bool
        Whether it is: then this one is to be sent nowhere.
    """
    patient = load_patient(session, prediction_id)
    named = (str(report.PatientID), str(report.get("IssuerOfPatientID") or ""))
    is_decided = session.exec(
        select(StudyRow.named_patient_key).where(
            col(StudyRow.study_instance_uid) == str(report.StudyInstanceUID)
        )
    ).first()
    is_former = (
        comparable(named[0]) != comparable(patient.patient_id)
        or (is_decided is not None and named[1] != patient.issuer)
        or says_what_was_corrected(session, patient, report)
    )
    if is_former:
        ledger.enqueue(session, JobKind.REISSUE, prediction_id)
    return is_former
