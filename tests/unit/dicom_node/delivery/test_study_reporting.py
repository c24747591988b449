from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from highdicom.sr import srread
from pydicom import Dataset
from sqlmodel import Session, SQLModel, col, select, update

from core import ledger
from core.clock import utc_now
from core.database import Database
from core.deliveries.destinations import add_destination
from core.deliveries.rules import add_rule
from core.identities.history import Correction
from core.identities.moving import move_study
from core.identities.targets import target_patient
from core.ledger import Claim
from core.predictions import record_prediction, supersede_predictions
from core.reviews import record_review
from core.settings import Settings
from core.study_facts import read_facts
from core.study_summaries import settle
from core.tables.deliveries import DeliveryRow, DeliveryState
from core.tables.identity_changes import ChangeSource
from core.tables.instances import InstanceOrigin, InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.tables.study_summaries import StudySummaryRow
from core.tables.summary_reports import SummaryReportRow
from core.values.both_eyes import BothEyes
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import Prediction, PredictionStatus
from core.values.review import ReviewDecision, ReviewDraft
from dicom_node.delivery.reissuing import ReissueStep
from dicom_node.delivery.reporting import ReportStep
from dicom_node.delivery.reviewing import ReviewStep
from dicom_node.delivery.study_reporting import StudyReportStep
from dicom_node.rollup.settling import SettleStep
from dicom_node.rollup.watch import RollUp
from dicom_node.storage.archive import Archive
from dicom_node.storage.retrieve import read_dataset
from reports.both_eyes_sr import BothEyesSr
from reports.equipment import Equipment
from reports.errors import SourceConflict
from reports.report import ReportKind
from reports.structured_report import StructuredReport
from tests.builders.opt import build_circle_opt
from tests.builders.prediction import Loss, build_prediction
from tests.builders.received import open_test_archive, receive

NOW = datetime(2026, 3, 4, 10, tzinfo=UTC)
EQUIPMENT = Equipment("1.2.3", "node-1")
SIDES = tuple(Laterality)


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    return open_test_archive(settings, database)


@pytest.fixture
def step(archive: Archive, database: Database) -> StudyReportStep:
    return StudyReportStep(database, archive.storage, EQUIPMENT)


@pytest.fixture
def only_sr(step: StudyReportStep) -> StudyReportStep:
    """Return a step that draws nothing, for what is the same of every format."""
    return replace(step, formats=(BothEyesSr(),))


@pytest.fixture
def eye_step(archive: Archive, database: Database) -> ReportStep:
    return ReportStep(database, archive.storage, EQUIPMENT, formats=(StructuredReport(),))


def rows(database: Database, table: type[SQLModel]) -> Sequence[Any]:
    with database.reading() as session:
        return session.exec(select(table)).all()


def take_in(archive: Archive, prediction_id: str, scan: Dataset, prediction: Prediction) -> int:
    """Take a scan in, score it and order its reports; return the key of its study."""
    key = receive(archive, scan)
    uids = scan.StudyInstanceUID, scan.SeriesInstanceUID, scan.SOPInstanceUID
    scored = replace(
        prediction,
        prediction_id=prediction_id,
        patient=PatientIdentity("TEST-0001", None, "Test^Eye", None, "F"),
        source=InstanceIdentity(*map(str, uids), "TEST-ACC-1"),
    )
    with archive.database.transaction() as session:
        record_prediction(session, scored, key, None)
        instance = session.get_one(InstanceRow, key)
        instance.outcome = InstanceOutcome.PREDICTED
        ledger.enqueue(session, JobKind.REPORT, prediction_id)
        return session.get_one(SeriesRow, instance.series_key).study_key


def take_in_both(archive: Archive, **of_left: Any) -> int:
    """Take in a scan of each eye of one study."""
    right, left = (build_circle_opt(laterality=side) for side in SIDES)
    left.StudyInstanceUID = right.StudyInstanceUID
    take_in(archive, "right", right, build_prediction(loss=Loss.ARCUATE))
    prediction = build_prediction(laterality=Laterality.LEFT, **of_left)
    return take_in(archive, "left", left, prediction)


def settle_study(database: Database, study_key: int, version: int = 1) -> int:
    """Settle a version of the summary; return its key."""
    with database.transaction() as session:
        row = StudySummaryRow(study_key=study_key, version=version, opened_at=NOW, changed_at=NOW)
        session.add(row)
        session.flush()
        settle(session, row, read_facts(session, study_key), NOW)
        assert row.id is not None
        return row.id


def claim(database: Database, kind: JobKind) -> list[Claim]:
    with database.transaction() as session:
        return ledger.claim(session, kind, "worker", 10, 60)


def report_of(archive: Archive, summary_key: int, kind: str) -> Dataset:
    with archive.database.reading() as session:
        row = session.get_one(SummaryReportRow, (summary_key, kind))
        uid = session.get_one(InstanceRow, row.instance_key).sop_instance_uid
        return read_dataset(session, archive.storage, uid)


def evidence_of(report: Dataset) -> set[str]:
    return {
        instance.ReferencedSOPInstanceUID
        for study in report.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }


def uids_of_eyes(session: Session) -> set[str]:
    statement = select(InstanceRow.sop_instance_uid).join(
        ReportRow, col(ReportRow.instance_key) == col(InstanceRow.id)
    )
    return set(session.exec(statement).all())


@pytest.mark.parametrize("status", [PredictionStatus.FINAL, PredictionStatus.NOT_ASSESSABLE])
def test_settled_study_gets_a_report_of_both_eyes(
    step: StudyReportStep,
    eye_step: ReportStep,
    archive: Archive,
    database: Database,
    status: PredictionStatus,
) -> None:
    study_key = take_in_both(archive, status=status)
    eye_step.run(claim(database, JobKind.REPORT))
    summary_key = settle_study(database, study_key)

    step.run(claim(database, JobKind.REPORT_STUDY))

    sr, sc, pdf = (report_of(archive, summary_key, kind) for kind in ("sr", "sc", "pdf"))
    for report in (sr, sc, pdf):
        assert report.SeriesDescription == "AI estimated VF 24-2 R+L - not measured"
        assert report.PatientID == "TEST-0001"
    assert (sc.ImageLaterality, pdf.ImageLaterality) == ("B", "B")
    scans = {r.sop_instance_uid for r in rows(database, InstanceRow) if r.origin == "received"}
    with database.reading() as session:
        assert evidence_of(sr) == scans | uids_of_eyes(session)
    assert "PredecessorDocumentsSequence" not in sr
    kept = {(row.summary_key, row.kind) for row in rows(database, SummaryReportRow)}
    assert kept == {(summary_key, kind) for kind in ("sr", "sc", "pdf")}
    produced = [r for r in rows(database, InstanceRow) if r.origin == InstanceOrigin.PRODUCED]
    assert {row.outcome for row in produced} == {InstanceOutcome.REPORT}


@pytest.mark.parametrize("is_replaced", [True, False])
def test_eye_whose_result_is_replaced_or_rejected_is_not_told_beside_the_other(
    only_sr: StudyReportStep, archive: Archive, database: Database, is_replaced: bool
) -> None:
    settle_study(database, take_in_both(archive))
    with database.transaction() as session:
        session.execute(update(JobRow).values(status="done").where(col(JobRow.kind) == "report"))
        if is_replaced:
            left = session.get_one(PredictionRow, "left")
            supersede_predictions(session, left.instance_key)
        else:
            rejection = ReviewDraft(ReviewDecision.REJECT, "dr-ito", "Drusen.")
            record_review(session, "left", rejection, NOW)

    only_sr.run(claim(database, JobKind.REPORT_STUDY))

    assert rows(database, SummaryReportRow) == []
    [job] = [job for job in rows(database, JobRow) if job.kind == JobKind.REPORT_STUDY]
    assert job.status == JobStatus.DONE


def reject(database: Database, prediction_id: str) -> None:
    with database.transaction() as session:
        rejection = ReviewDraft(ReviewDecision.REJECT, "dr-ito", "Drusen.")
        record_review(session, prediction_id, rejection, NOW)


def numbers_of(report: Dataset) -> int:
    return sum(1 for element in report.iterall() if element.keyword == "NumericValue")


def reread(report: Dataset) -> Any:
    content = BytesIO()
    report.save_as(content, enforce_file_format=True)
    content.seek(0)
    return srread(content)


def test_rejections_after_the_report_make_later_versions_without_those_eyes(
    only_sr: StudyReportStep, eye_step: ReportStep, archive: Archive, database: Database
) -> None:
    study_key = take_in_both(archive)
    eye_step.run(claim(database, JobKind.REPORT))
    versions = [settle_study(database, study_key)]
    only_sr.run(claim(database, JobKind.REPORT_STUDY))
    for version, rejected in ((2, "left"), (3, "right")):
        reject(database, rejected)
        versions.append(settle_study(database, study_key, version))
        only_sr.run(claim(database, JobKind.REPORT_STUDY))

    first, second, third = (report_of(archive, key, "sr") for key in versions)
    assert [
        report.SeriesDescription.removeprefix("AI estimated VF 24-2 R+L - not measured")
        for report in (first, second, third)
    ] == ["", ", L not to be used", ", R+L not to be used"]
    assert numbers_of(first) > numbers_of(second) > numbers_of(third)
    for before, after in ((first, second), (second, third)):
        (study,) = after.PredecessorDocumentsSequence
        (instance,) = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
        assert instance.ReferencedSOPInstanceUID == before.SOPInstanceUID


def test_rejection_before_the_first_report_leaves_the_other_eye_its_place_in_it(
    only_sr: StudyReportStep, eye_step: ReportStep, archive: Archive, database: Database
) -> None:
    study_key = take_in_both(archive)
    eye_step.run(claim(database, JobKind.REPORT))
    reject(database, "left")
    summary_key = settle_study(database, study_key)

    only_sr.run(claim(database, JobKind.REPORT_STUDY))

    report = report_of(archive, summary_key, "sr")
    assert report.SeriesDescription.endswith(", L not to be used")
    assert "PredecessorDocumentsSequence" not in report
    right, left = reread(report).content.get_image_measurement_groups()
    assert len(right.get_measurements()) > len(left.get_measurements()) == 0


def test_two_eyes_that_must_not_be_used_are_not_reported_together_at_first(
    only_sr: StudyReportStep, eye_step: ReportStep, archive: Archive, database: Database
) -> None:
    study_key = take_in_both(archive)
    eye_step.run(claim(database, JobKind.REPORT))
    for rejected in ("left", "right"):
        reject(database, rejected)
    settle_study(database, study_key)

    only_sr.run(claim(database, JobKind.REPORT_STUDY))

    assert rows(database, SummaryReportRow) == []


def test_rejection_leads_to_a_new_version_by_itself(
    only_sr: StudyReportStep, eye_step: ReportStep, archive: Archive, database: Database
) -> None:
    """The whole way: change feed, roll-up, settling, report."""
    roll_up = RollUp(database, archive.storage, quiet=timedelta(0))
    settling = SettleStep(database)

    def let_everybody_work() -> None:
        eye_step.run(claim(database, JobKind.REPORT))
        roll_up.turn()
        settling.run(claim(database, JobKind.SETTLE))
        only_sr.run(claim(database, JobKind.REPORT_STUDY))

    take_in_both(archive)
    let_everybody_work()
    reject(database, "left")
    let_everybody_work()
    let_everybody_work()

    versions = [row.summary_key for row in rows(database, SummaryReportRow)]
    first, second = (report_of(archive, key, "sr") for key in sorted(versions))
    assert "not to be used" not in first.SeriesDescription
    assert second.SeriesDescription.endswith("L not to be used")
    states = {row.version: row.state for row in rows(database, StudySummaryRow)}
    assert states == {1: "superseded", 2: "settled"}


def test_review_made_while_the_report_is_written_has_it_written_anew(
    only_sr: StudyReportStep,
    eye_step: ReportStep,
    archive: Archive,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study_key = take_in_both(archive)
    eye_step.run(claim(database, JobKind.REPORT))
    settle_study(database, study_key)
    only_sr.run(claim(database, JobKind.REPORT_STUDY))
    second = settle_study(database, study_key, version=2)
    build = StudyReportStep.build

    def slowly(step: StudyReportStep, key: int, both: BothEyes) -> list[tuple[ReportKind, Dataset]]:
        built = build(step, key, both)
        if not both.withheld:
            reject(database, "left")
        return built

    monkeypatch.setattr(StudyReportStep, "build", slowly)
    only_sr.run(claim(database, JobKind.REPORT_STUDY))
    assert {row.summary_key for row in rows(database, SummaryReportRow)} != {second}
    with database.transaction() as session:
        session.execute(update(JobRow).values(available_at=0.0))
    only_sr.run(claim(database, JobKind.REPORT_STUDY))

    assert "L not to be used" in report_of(archive, second, "sr").SeriesDescription


def test_both_eyes_wait_for_the_report_of_each(
    only_sr: StudyReportStep, archive: Archive, database: Database
) -> None:
    settle_study(database, take_in_both(archive))

    only_sr.run(claim(database, JobKind.REPORT_STUDY))

    (job,) = [job for job in rows(database, JobRow) if job.kind == JobKind.REPORT_STUDY]
    assert (job.status, job.attempts) == (JobStatus.QUEUED, 0)
    assert rows(database, SummaryReportRow) == []


def test_report_of_an_eye_that_failed_is_not_waited_for(
    only_sr: StudyReportStep, archive: Archive, database: Database
) -> None:
    summary_key = settle_study(database, take_in_both(archive))
    with database.transaction() as session:
        for claimed in ledger.claim(session, JobKind.REPORT, "worker", 10, 60):
            ledger.fail(session, claimed, "the reports do not fit", False, 1)

    only_sr.run(claim(database, JobKind.REPORT_STUDY))

    sr = report_of(archive, summary_key, ReportKind.STRUCTURED_REPORT)
    scans = {r.sop_instance_uid for r in rows(database, InstanceRow) if r.origin == "received"}
    assert evidence_of(sr) == scans


def test_later_version_names_the_one_it_supersedes(
    step: StudyReportStep, eye_step: ReportStep, archive: Archive, database: Database
) -> None:
    study_key = take_in_both(archive)
    eye_step.run(claim(database, JobKind.REPORT))
    first = settle_study(database, study_key)
    step.run(claim(database, JobKind.REPORT_STUDY))
    second = settle_study(database, study_key, version=2)

    step.run(claim(database, JobKind.REPORT_STUDY))

    for kind in (ReportKind.STRUCTURED_REPORT, ReportKind.PDF):
        before, after = (report_of(archive, key, kind) for key in (first, second))
        (study,) = after.PredecessorDocumentsSequence
        (series,) = study.ReferencedSeriesSequence
        (instance,) = series.ReferencedSOPSequence
        assert instance.ReferencedSOPInstanceUID == before.SOPInstanceUID
        assert series.SeriesInstanceUID == before.SeriesInstanceUID
        assert before.SOPInstanceUID != after.SOPInstanceUID
        assert (before.InstanceNumber, after.InstanceNumber) == (1, 2)


def test_version_that_was_superseded_meanwhile_is_not_reported(
    only_sr: StudyReportStep, eye_step: ReportStep, archive: Archive, database: Database
) -> None:
    study_key = take_in_both(archive)
    eye_step.run(claim(database, JobKind.REPORT))
    settle_study(database, study_key)
    second = settle_study(database, study_key, version=2)

    only_sr.run(claim(database, JobKind.REPORT_STUDY))

    assert {row.summary_key for row in rows(database, SummaryReportRow)} == {second}
    ends = [job.status for job in rows(database, JobRow) if job.kind == JobKind.REPORT_STUDY]
    assert ends == [JobStatus.DONE, JobStatus.DONE]


def test_report_done_twice_is_the_same_object(
    only_sr: StudyReportStep, eye_step: ReportStep, archive: Archive, database: Database
) -> None:
    summary_key = settle_study(database, take_in_both(archive))
    eye_step.run(claim(database, JobKind.REPORT))
    only_sr.run(claim(database, JobKind.REPORT_STUDY))
    before = [(row.sop_instance_uid, row.digest) for row in rows(database, InstanceRow)]
    with database.transaction() as session:
        ledger.enqueue(session, JobKind.REPORT_STUDY, str(summary_key))

    only_sr.run(claim(database, JobKind.REPORT_STUDY))

    assert [(row.sop_instance_uid, row.digest) for row in rows(database, InstanceRow)] == before
    assert len(rows(database, SummaryReportRow)) == 1


def test_study_of_one_eye_has_no_report_of_both(archive: Archive, database: Database) -> None:
    study_key = take_in(archive, "right", build_circle_opt(), build_prediction())

    settle_study(database, study_key)

    assert claim(database, JobKind.REPORT_STUDY) == []


def test_scans_of_two_people_are_never_reported_as_one(
    only_sr: StudyReportStep, eye_step: ReportStep, archive: Archive, database: Database
) -> None:
    right, left = (build_circle_opt(laterality=side) for side in SIDES)
    left.StudyInstanceUID = right.StudyInstanceUID
    right.PatientBirthDate, left.PatientBirthDate = "19580301", "19440506"
    take_in(archive, "right", right, build_prediction())
    prediction = build_prediction(laterality=Laterality.LEFT)
    settle_study(database, take_in(archive, "left", left, prediction))
    eye_step.run(claim(database, JobKind.REPORT))

    with pytest.raises(SourceConflict, match="PatientBirthDate"):
        only_sr.run(claim(database, JobKind.REPORT_STUDY))

    assert rows(database, SummaryReportRow) == []


def let_everything_go(database: Database) -> None:
    with database.transaction() as session:
        add_rule(session, add_destination(session, "pacs", "folder", "/pacs"))


def give_to_another(database: Database) -> None:
    with database.transaction() as session:
        study = session.exec(select(StudyRow)).one()
        patient = target_patient(session, study, "OTHER-1", "Clinic", create=True)
        correction = Correction("wrong person", "admin", ChangeSource.PERSON, utc_now())
        move_study(session, study, patient, correction, force=True)


def named_by_what_may_be_sent(archive: Archive) -> list[str]:
    """Return whom the reports name that a destination may still get, each once."""
    with archive.database.reading() as session:
        statement = (
            select(InstanceRow.sop_instance_uid)
            .join(DeliveryRow, col(DeliveryRow.instance_key) == col(InstanceRow.id))
            .where(col(DeliveryRow.dismissed_at).is_(None))
        )
        uids = session.exec(statement).all()
        reports = [read_dataset(session, archive.storage, uid) for uid in uids]
    return sorted({str(report.PatientID) for report in reports})


@pytest.mark.parametrize("state", [DeliveryState.WAITING, DeliveryState.GAVE_UP])
def test_no_report_goes_to_anybody_any_more_that_names_a_former_patient(
    only_sr: StudyReportStep,
    eye_step: ReportStep,
    archive: Archive,
    database: Database,
    state: DeliveryState,
) -> None:
    let_everything_go(database)
    study_key = take_in_both(archive)
    eye_step.run(claim(database, JobKind.REPORT))
    review = ReviewStep(database, archive.storage)
    for _ in ("first", "last"):
        reject(database, "left")
        review.run(claim(database, JobKind.REPORT_REVIEW))
    with database.transaction() as session:
        accept = ReviewDraft(ReviewDecision.ACCEPT, "dr-ito")
        record_review(session, "left", accept, NOW)
    review.run(claim(database, JobKind.REPORT_REVIEW))
    settle_study(database, study_key)
    only_sr.run(claim(database, JobKind.REPORT_STUDY))
    with database.transaction() as session:
        session.execute(update(DeliveryRow).values(state=state))
    before = {row.id for row in rows(database, DeliveryRow)}
    assert named_by_what_may_be_sent(archive) == ["TEST-0001"]

    give_to_another(database)
    ReissueStep(eye_step).run(claim(database, JobKind.REISSUE))

    assert named_by_what_may_be_sent(archive) == ["OTHER-1"]
    deliveries = rows(database, DeliveryRow)
    assert {row.id for row in deliveries if row.dismissed_at is not None} == before


def test_study_given_to_another_while_its_report_is_written_has_it_written_anew(
    only_sr: StudyReportStep,
    eye_step: ReportStep,
    archive: Archive,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study_key = take_in_both(archive)
    eye_step.run(claim(database, JobKind.REPORT))
    let_everything_go(database)
    first = settle_study(database, study_key)
    build = StudyReportStep.build

    def slowly(step: StudyReportStep, key: int, both: BothEyes) -> list[tuple[ReportKind, Dataset]]:
        built = build(step, key, both)
        if both.right.prediction.patient.patient_id == "TEST-0001":
            give_to_another(database)
        return built

    monkeypatch.setattr(StudyReportStep, "build", slowly)
    only_sr.run(claim(database, JobKind.REPORT_STUDY))
    assert rows(database, DeliveryRow) == []
    ReissueStep(eye_step).run(claim(database, JobKind.REISSUE))
    with database.transaction() as session:
        session.execute(update(JobRow).values(available_at=0.0))
    only_sr.run(claim(database, JobKind.REPORT_STUDY))

    assert report_of(archive, first, "sr").PatientID == "OTHER-1"
    assert named_by_what_may_be_sent(archive) == ["OTHER-1"]
