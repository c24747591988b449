"""Reports of a prediction that is another patient's now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from highdicom.sr import srread
from pydicom import Dataset
from sqlmodel import Session, SQLModel, col, select

from core import ledger
from core.clock import utc_now
from core.database import Database
from core.deliveries.destinations import add_destination
from core.deliveries.rules import add_rule
from core.identities.history import Correction
from core.identities.merging import merge_patients
from core.identities.moving import move_study
from core.identities.targets import target_patient
from core.identities.undoing import undo
from core.reviews import record_review
from core.settings import Settings
from core.tables.deliveries import DeliveryRow
from core.tables.identity_changes import ChangeSource
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.tables.studies import StudyRow
from core.values.review import ReviewDecision, ReviewDraft
from dicom_node.delivery.reissuing import ReissueStep
from dicom_node.delivery.reporting import ReportStep
from dicom_node.delivery.reviewing import ReviewStep
from dicom_node.storage.archive import Archive
from dicom_node.storage.duplicate_policy import DuplicatePolicy
from dicom_node.storage.ingest import ingest
from dicom_node.storage.reports import write_report
from dicom_node.storage.retrieve import read_dataset
from reports.equipment import Equipment
from reports.register import DEFAULT_FORMATS
from reports.report import ReportKind
from reports.reviewed_report import reviewed_report
from reports.secondary_capture import SecondaryCapture
from reports.structured_report import StructuredReport
from tests.builders.encoded_instance import encode_instance
from tests.builders.opt import build_circle_opt
from tests.builders.received import open_test_archive
from tests.builders.recorded_scan import record_scan

#: As the scan of `record_scan` says it.
BORN = str(build_circle_opt().PatientBirthDate)
KINDS = {ReportKind.STRUCTURED_REPORT, ReportKind.SECONDARY_CAPTURE, ReportKind.PDF}


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    return open_test_archive(settings, database)


#: Of a report each test needs one form; drawing the others takes most of the time.
in_every_form = pytest.mark.parametrize("reports", [DEFAULT_FORMATS], ids=["all"], indirect=True)


@pytest.fixture
def reports(request: pytest.FixtureRequest, archive: Archive, database: Database) -> ReportStep:
    formats = getattr(request, "param", (StructuredReport(),))
    return ReportStep(database, archive.storage, Equipment("1.2.3", "node-1"), formats)


@pytest.fixture
def reported(archive: Archive, database: Database, reports: ReportStep) -> Dataset:
    """A scan whose result `p1` is reported."""
    scan = record_scan(archive, database)
    run(database, reports)
    return scan


def run(database: Database, step: Any) -> int:
    """Do the jobs that wait for a step; return how many."""
    with database.transaction() as session:
        claims = ledger.claim(session, step.kind, "worker", 10, 60)
    step.run(claims)
    return len(claims)


def by_a_person() -> Correction:
    return Correction("wrong person", "admin", ChangeSource.PERSON, utc_now())


def move(database: Database, patient_id: str = "OTHER-1", **attributes: Any) -> None:
    with database.transaction() as session:
        study = session.exec(select(StudyRow)).one()
        patient = target_patient(session, study, patient_id, "Clinic", create=True)
        for name, value in attributes.items():
            setattr(patient, name, value)
        session.flush()
        move_study(session, study, patient, by_a_person(), force=True)


def rows(database: Database, table: type[SQLModel]) -> Sequence[Any]:
    with database.reading() as session:
        return session.exec(select(table)).all()


def kept(archive: Archive, version: int = 0) -> dict[str, Dataset]:
    with archive.database.reading() as session:
        statement = (
            select(ReportRow.kind, InstanceRow.sop_instance_uid)
            .join(InstanceRow, col(InstanceRow.id) == col(ReportRow.instance_key))
            .where(ReportRow.version == version)
        )
        return {
            kind: read_dataset(session, archive.storage, uid)
            for kind, uid in session.exec(statement).all()
        }


def predecessors_of(report: Dataset) -> list[str]:
    return [
        instance.ReferencedSOPInstanceUID
        for study in report.get("PredecessorDocumentsSequence", ())
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    ]


@in_every_form
def test_every_report_is_built_anew_for_whom_it_is_of(
    archive: Archive, database: Database, reports: ReportStep, reported: Dataset
) -> None:
    before = kept(archive)
    move(database, name="王^小東", birth_date=date(1950, 1, 2))

    assert run(database, ReissueStep(reports)) == 1

    after = kept(archive)
    assert set(after) == KINDS
    for kind, report in after.items():
        assert (report.PatientID, report.IssuerOfPatientID) == ("OTHER-1", "Clinic")
        assert str(report.PatientName) == "王^小東"
        assert report.PatientBirthDate == "19500102"
        assert report.StudyInstanceUID == reported.StudyInstanceUID
        assert report.SOPInstanceUID != before[kind].SOPInstanceUID
        assert "not measured" in report.SeriesDescription
        assert report.SeriesDescription.endswith("identity corrected")
    for kind in (ReportKind.STRUCTURED_REPORT, ReportKind.PDF):
        assert predecessors_of(after[kind]) == [before[kind].SOPInstanceUID]
    # The former ones stay what they were, objects of the archive.
    with database.reading() as session:
        former = read_dataset(session, archive.storage, before["sr"].SOPInstanceUID)
    assert former.PatientID == "TEST-0001"
    content = BytesIO()
    after["sr"].save_as(content, enforce_file_format=True)
    content.seek(0)
    assert len(srread(content).content.get_image_measurement_groups()) == 53


def correct_name(archive: Archive, **values: Any) -> None:
    """Have another study of the patient sent again as a PACS that knows better says it."""
    replacing = replace(archive, duplicates=DuplicatePolicy.REPLACE)
    for said in ({"PatientName": "Test^Eye", "PatientBirthDate": BORN}, values):
        ingest(replacing, encode_instance(PatientID="TEST-0001", PatientSex="F", **said))


def test_name_that_is_corrected_in_one_study_is_corrected_in_the_reports_of_the_others(
    archive: Archive, database: Database, reports: ReportStep, reported: Dataset
) -> None:
    before = kept(archive)
    correct_name(archive, PatientName="Test^Ida", PatientBirthDate="19700102")

    run(database, ReissueStep(reports))

    after = kept(archive)
    assert {str(one.PatientName) for one in after.values()} == {"Test^Ida"}
    assert {one.PatientBirthDate for one in after.values()} == {"19700102"}
    assert predecessors_of(after["sr"]) == [before["sr"].SOPInstanceUID]
    with database.transaction() as session:
        undo(session, 1, by_a_person())
    run(database, ReissueStep(reports))
    assert {str(one.PatientName) for one in kept(archive).values()} == {"Test^Eye"}


@pytest.mark.parametrize("is_moved", [False, True])
def test_report_that_was_built_under_the_former_name_is_sent_nowhere(
    archive: Archive, database: Database, reports: ReportStep, is_moved: bool
) -> None:
    def corrected() -> None:
        if is_moved:
            move(database)
        else:
            correct_name(archive, PatientName="Test^Ida", PatientBirthDate=BORN)

    with database.transaction() as session:
        add_rule(session, add_destination(session, "pacs", "folder", "/pacs"))
    slow = Slow(database, archive.storage, reports.equipment, (StructuredReport(),))
    record_scan(archive, database)
    slow.meanwhile.append(corrected)
    run(database, slow)
    assert rows(database, DeliveryRow) == []

    run(database, ReissueStep(slow))

    [planned], [row] = rows(database, DeliveryRow), rows(database, ReportRow)
    assert planned.instance_key == row.instance_key
    [report] = kept(archive).values()
    said = (report.PatientID, str(report.PatientName))
    assert said == (("OTHER-1", "Test^Eye") if is_moved else ("TEST-0001", "Test^Ida"))


def test_second_run_changes_nothing(
    archive: Archive, database: Database, reports: ReportStep, reported: Dataset
) -> None:
    move(database)
    step = ReissueStep(reports)
    run(database, step)
    once = [(row.kind, row.instance_key) for row in rows(database, ReportRow)]
    with database.transaction() as session:
        ledger.enqueue(session, JobKind.REISSUE, "p1")

    run(database, step)

    assert [(row.kind, row.instance_key) for row in rows(database, ReportRow)] == once


def test_taken_back_the_reports_name_the_first_patient_again(
    archive: Archive, database: Database, reports: ReportStep, reported: Dataset
) -> None:
    move(database)
    step = ReissueStep(reports)
    run(database, step)
    moved = kept(archive)
    with database.transaction() as session:
        undo(session, 1, by_a_person())

    run(database, step)

    back = kept(archive)
    assert {report.PatientID for report in back.values()} == {"TEST-0001"}
    assert all("IssuerOfPatientID" not in report for report in back.values())
    assert predecessors_of(back["sr"]) == [moved["sr"].SOPInstanceUID]


def test_last_review_comes_along(
    archive: Archive, database: Database, reports: ReportStep, reported: Dataset
) -> None:
    review = ReviewStep(database, archive.storage)
    for comment in ("first", "second"):
        draft = ReviewDraft(ReviewDecision.ACCEPT, "clinician", comment)
        with database.transaction() as session:
            record_review(session, "p1", draft, utc_now())
        run(database, review)
    before = kept(archive, version=2)["sr"]
    move(database)

    run(database, ReissueStep(reports))

    last, first = kept(archive, version=2)["sr"], kept(archive, version=1)["sr"]
    assert (last.PatientID, last.VerificationFlag) == ("OTHER-1", "VERIFIED")
    assert predecessors_of(last) == [before.SOPInstanceUID]
    # What was said before that is history, and says what was said then.
    assert first.PatientID == "TEST-0001"
    draft = ReviewDraft(ReviewDecision.REJECT, "clinician", "third")
    with database.transaction() as session:
        record_review(session, "p1", draft, utc_now())
    run(database, review)
    assert kept(archive, version=3)["sr"].PatientID == "OTHER-1"
    assert predecessors_of(kept(archive, version=3)["sr"]) == [last.SOPInstanceUID]


@pytest.mark.parametrize(
    "reports", [(StructuredReport(), SecondaryCapture())], ids=["sr+sc"], indirect=True
)
def test_picture_of_a_rejected_result_is_not_sent_under_the_corrected_identity(
    archive: Archive, database: Database, reports: ReportStep, reported: Dataset
) -> None:
    with database.transaction() as session:
        record_review(
            session, "p1", ReviewDraft(ReviewDecision.REJECT, "dr-ito", "Drusen."), utc_now()
        )
    run(database, ReviewStep(database, archive.storage))
    with database.transaction() as session:
        add_rule(session, add_destination(session, "pacs", "folder", "/pacs"))
    move(database)

    run(database, ReissueStep(reports))

    assert [row.report_kind for row in rows(database, DeliveryRow)] == ["sr", "sr"]
    assert kept(archive)["sc"].PatientID == "OTHER-1"


@dataclass(frozen=True)
class Slow(ReportStep):
    """Builds reports for so long that something happens meanwhile, once."""

    meanwhile: list[Callable[[], object]] = field(default_factory=list)

    def build(self, prediction_id: str) -> list[tuple[ReportKind, Dataset]]:
        built = super().build(prediction_id)
        while self.meanwhile:
            self.meanwhile.pop()()
        return built


@pytest.mark.parametrize("is_done_by_another", [False, True])
def test_study_that_moves_on_meanwhile_is_reported_for_whom_it_is_of_in_the_end(
    archive: Archive,
    database: Database,
    reports: ReportStep,
    reported: Dataset,
    is_done_by_another: bool,
) -> None:
    def moves_on() -> None:
        move(database, "THIRD-1")
        if is_done_by_another:
            run(database, ReissueStep(reports))

    move(database)
    slow = Slow(database, archive.storage, reports.equipment, meanwhile=[moves_on])
    run(database, ReissueStep(slow))
    named = {report.PatientID for report in kept(archive).values()}
    assert named == {"THIRD-1" if is_done_by_another else "TEST-0001"}

    run(database, ReissueStep(reports))

    assert {report.PatientID for report in kept(archive).values()} == {"THIRD-1"}
    with database.reading() as session:
        assert _waiting(session) == []
        uids = session.exec(select(InstanceRow.sop_instance_uid)).all()
        objects = [read_dataset(session, archive.storage, uid) for uid in uids]
    # Nothing was ever written for the patient in between.
    assert "OTHER-1" not in {one.PatientID for one in objects}


def test_review_that_was_reported_while_the_study_moved_comes_along(
    archive: Archive, database: Database, reports: ReportStep, reported: Dataset
) -> None:
    draft = ReviewDraft(ReviewDecision.ACCEPT, "clinician")
    with database.transaction() as session:
        review = record_review(session, "p1", draft, utc_now())
    former = kept(archive)["sr"]
    built = reviewed_report(former, former, review)
    move(database)
    step = ReissueStep(reports)
    run(database, step)
    first = kept(archive)["sr"].SOPInstanceUID
    with database.transaction() as session:
        ReviewStep(database, archive.storage)._keep(
            session, review, write_report(archive.storage, built)
        )
    assert kept(archive, version=1)["sr"].PatientID == "TEST-0001"

    assert run(database, step) == 1

    last = kept(archive, version=1)["sr"]
    assert (last.PatientID, last.VerificationFlag) == ("OTHER-1", "VERIFIED")
    assert predecessors_of(last) == [built.SOPInstanceUID]
    assert kept(archive)["sr"].SOPInstanceUID == first


def test_report_that_was_not_sent_yet_goes_nowhere(
    archive: Archive, database: Database, reports: ReportStep
) -> None:
    only_sr = replace(reports, formats=(StructuredReport(),))
    with database.transaction() as session:
        add_rule(session, add_destination(session, "pacs", "folder", "/pacs"))
    _report(archive, database, only_sr)
    [former] = rows(database, DeliveryRow)
    move(database)

    run(database, ReissueStep(only_sr))

    deliveries = {row.instance_key: row for row in rows(database, DeliveryRow)}
    [row] = rows(database, ReportRow)
    assert (deliveries[former.instance_key].state, deliveries[row.instance_key].state) == (
        "gave_up",
        "waiting",
    )
    assert deliveries[former.instance_key].dismissed_at is not None


def _report(archive: Archive, database: Database, step: ReportStep) -> None:
    record_scan(archive, database)
    run(database, step)


@in_every_form
def test_without_its_scan_what_is_written_is_copied(
    archive: Archive, database: Database, reports: ReportStep, reported: Dataset
) -> None:
    before = kept(archive)
    with database.transaction() as session:
        scan = session.get_one(InstanceRow, 1)
        scan.bytes_removed_at, scan.removal_reason = utc_now(), "age"
    move(database, name="Other^Person")

    run(database, ReissueStep(reports))

    after = kept(archive)
    assert (after["sr"].PatientID, str(after["sr"].PatientName)) == ("OTHER-1", "Other^Person")
    assert predecessors_of(after["sr"]) == [before["sr"].SOPInstanceUID]
    # A picture without its scan cannot be drawn anew.
    assert after["pdf"].SOPInstanceUID == before["pdf"].SOPInstanceUID


def test_report_that_was_built_while_the_study_moved_is_built_anew(
    archive: Archive, database: Database, reports: ReportStep, reported: Dataset
) -> None:
    built = write_report(archive.storage, dict(reports.build("p1"))["sr"])
    move(database)
    with database.transaction() as session:
        session.exec(
            select(JobRow).where(JobRow.kind == JobKind.REISSUE)
        ).one().status = JobStatus.DONE
    with database.transaction() as session:
        reports.keep(session, "p1", ReportKind.STRUCTURED_REPORT, built)

    with database.reading() as session:
        waiting = _waiting(session)
    assert waiting == ["p1"]


def _waiting(session: Session) -> list[str]:
    statement = select(JobRow.subject).where(
        JobRow.kind == JobKind.REISSUE, JobRow.status == JobStatus.QUEUED
    )
    return list(session.exec(statement).all())


def test_other_birth_date_is_noted_beside_the_result(database: Database, reported: Dataset) -> None:
    with database.transaction() as session:
        other = PatientRow(patient_id="OLDER", birth_date=date(1930, 1, 1))
        session.add(other)
        session.flush()
        former = session.get_one(PatientRow, 1)
        merge_patients(session, former, other, by_a_person(), force=True)

    [row] = rows(database, PredictionRow)
    assert len(row.notes) == 1
    assert "norm of 53 years instead of 81" in row.notes[0]

    with database.transaction() as session:
        undo(session, 1, by_a_person())
    [row] = rows(database, PredictionRow)
    assert row.notes == []
