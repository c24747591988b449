from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from highdicom.sr import srread
from pydicom import Dataset
from sqlmodel import SQLModel, select, update

from core import ledger
from core.clock import utc_now
from core.database import Database
from core.deliveries.destinations import add_destination
from core.deliveries.rules import add_rule
from core.errors import RecordNotFound
from core.ledger import Claim
from core.predictions import record_prediction
from core.report_context import read_context
from core.reviews import record_review
from core.settings import Settings
from core.tables.deliveries import DeliveryRow
from core.tables.instances import InstanceOrigin, InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import Prediction, PredictionStatus
from core.values.review import ReviewDecision, ReviewDraft
from dicom_node.delivery.reporting import ReportStep
from dicom_node.delivery.reviewing import ReviewStep
from dicom_node.storage.archive import Archive
from dicom_node.storage.retrieve import read_dataset, read_instance
from reports.equipment import Equipment
from reports.errors import ReportWrong, SourceConflict
from reports.register import DEFAULT_FORMATS, REPORT_FORMATS
from reports.report import ReportKind
from reports.secondary_capture import SecondaryCapture
from reports.structured_report import StructuredReport
from reports.text_report import TextReport
from tests.builders.opt import build_circle_opt, build_localizer
from tests.builders.prediction import POINTS_DEGREE, Loss, build_prediction
from tests.builders.received import open_test_archive, receive

DEFAULT_KINDS = [f.kind for f in DEFAULT_FORMATS]
SR_CLASS = "1.2.840.10008.5.1.4.1.1.88.34"
SC_CLASS = "1.2.840.10008.5.1.4.1.1.7"
PDF_CLASS = "1.2.840.10008.5.1.4.1.1.104.1"


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    return open_test_archive(settings, database)


@pytest.fixture
def step(archive: Archive, database: Database) -> ReportStep:
    return ReportStep(database, archive.storage, Equipment("1.2.3", "node-1"))


@pytest.fixture
def only_sr(step: ReportStep) -> ReportStep:
    """Return a step that draws nothing, for what is the same of every format."""
    return replace(step, formats=(StructuredReport(),))


def rows(database: Database, table: type[SQLModel]) -> Sequence[Any]:
    with database.reading() as session:
        return session.exec(select(table)).all()


def keep(archive: Archive, scan: Dataset, prediction: Prediction) -> Prediction:
    """Take the scan in and record the prediction as one of it, with its job."""
    key = receive(archive, scan)
    patient = PatientIdentity("TEST-0001", None, "Test^Eye", None, "F")
    uids = scan.StudyInstanceUID, scan.SeriesInstanceUID, scan.SOPInstanceUID
    of_scan = replace(
        prediction, patient=patient, source=InstanceIdentity(*map(str, uids), "TEST-ACC-1")
    )
    with archive.database.transaction() as session:
        record_prediction(session, of_scan, key, None)
        ledger.enqueue(session, JobKind.REPORT, of_scan.prediction_id)
    return of_scan


def claim(database: Database) -> list[Claim]:
    with database.transaction() as session:
        return ledger.claim(session, JobKind.REPORT, "worker", 10, 60)


def report_of(archive: Archive, kind: ReportKind) -> Dataset:
    with archive.database.reading() as session:
        row = session.exec(select(ReportRow).where(ReportRow.kind == kind)).one()
        instance = session.get_one(InstanceRow, row.instance_key)
        return read_dataset(session, archive.storage, instance.sop_instance_uid)


@pytest.mark.parametrize("laterality", Laterality)
def test_prediction_gets_every_report_in_the_study_of_its_scan(
    step: ReportStep, archive: Archive, database: Database, laterality: Laterality
) -> None:
    scan = build_circle_opt(laterality=laterality)
    prediction = keep(archive, scan, build_prediction(laterality=laterality, loss=Loss.ARCUATE))

    step.run(claim(database))

    reports = [report_of(archive, kind) for kind in DEFAULT_KINDS]
    assert [report.SOPClassUID for report in reports] == [SR_CLASS, SC_CLASS, PDF_CLASS]
    for report in reports:
        assert report.StudyInstanceUID == scan.StudyInstanceUID
        assert report.SeriesDescription == f"AI estimated VF 24-2 {laterality} - not measured"
        assert (report.PatientID, report.PatientName) == ("TEST-0001", "Test^Eye")
    produced = [r for r in rows(database, InstanceRow) if r.origin == InstanceOrigin.PRODUCED]
    assert {row.outcome for row in produced} == {InstanceOutcome.REPORT}
    kept = {(row.prediction_id, row.kind) for row in rows(database, ReportRow)}
    assert kept == {(prediction.prediction_id, kind) for kind in DEFAULT_KINDS}
    assert [job.status for job in rows(database, JobRow) if job.kind == JobKind.REPORT] == [
        JobStatus.DONE
    ]


@pytest.mark.parametrize(("laterality", "sign"), [(Laterality.RIGHT, 1), (Laterality.LEFT, -1)])
def test_kept_report_has_each_sensitivity_where_the_patient_sees_it(
    only_sr: ReportStep,
    archive: Archive,
    database: Database,
    tmp_path,
    laterality: Laterality,
    sign: int,
) -> None:
    prediction = keep(
        archive,
        build_circle_opt(laterality=laterality),
        build_prediction(laterality=laterality, loss=Loss.ARCUATE),
    )

    only_sr.run(claim(database))

    uid = report_of(archive, ReportKind.STRUCTURED_REPORT).SOPInstanceUID
    path = tmp_path / "report.dcm"
    with database.reading() as session:
        path.write_bytes(read_instance(session, archive.storage, uid))
    found = {}
    for group in srread(path).content.get_image_measurement_groups():
        values = {m.name.value: m.value for m in group.get_measurements()}
        if "PTS" in values:
            found[(values["PTX"], values["PTY"])] = values["PTS"]
    assert prediction.estimate is not None
    expected = {
        (float(sign * x), float(y)): round(float(value), 2)
        for (x, y), value in zip(POINTS_DEGREE, prediction.estimate.sensitivities_db, strict=True)
    }
    assert found == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("status", [PredictionStatus.NOT_ASSESSABLE, PredictionStatus.FAILED])
def test_result_without_a_field_is_reported_too(
    step: ReportStep, archive: Archive, database: Database, status: PredictionStatus
) -> None:
    keep(archive, build_circle_opt(), build_prediction(status=status))

    step.run(claim(database))

    described = {report_of(archive, kind).SeriesDescription for kind in DEFAULT_KINDS}
    assert described == {"AI estimated VF 24-2 R - no estimate, not measured"}


def test_report_names_the_localizer_it_was_made_with(
    only_sr: ReportStep, archive: Archive, database: Database
) -> None:
    scan, localizer = build_circle_opt(), build_localizer()
    keep(archive, scan, build_prediction())
    receive(archive, localizer)

    only_sr.run(claim(database))

    report = report_of(archive, ReportKind.STRUCTURED_REPORT)
    evidence = [
        instance.ReferencedSOPInstanceUID
        for name in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")
        for study in report.get(name) or ()
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    ]
    assert sorted(evidence) == sorted([scan.SOPInstanceUID, localizer.SOPInstanceUID])


def test_report_done_twice_is_the_same_object(
    only_sr: ReportStep, archive: Archive, database: Database
) -> None:
    prediction = keep(archive, build_circle_opt(), build_prediction())
    only_sr.run(claim(database))
    before = [(row.sop_instance_uid, row.digest) for row in rows(database, InstanceRow)]
    with database.transaction() as session:
        ledger.enqueue(session, JobKind.REPORT, prediction.prediction_id)

    only_sr.run(claim(database))

    assert [(row.sop_instance_uid, row.digest) for row in rows(database, InstanceRow)] == before
    assert len(rows(database, ReportRow)) == 1


def test_each_report_is_planned_for_the_destinations_of_its_rules(
    step: ReportStep, archive: Archive, database: Database
) -> None:
    with database.transaction() as session:
        add_rule(session, add_destination(session, "right", "folder", "/r"), laterality="R")
        add_rule(session, add_destination(session, "left", "folder", "/l"), laterality="L")
    keep(archive, build_circle_opt(), build_prediction())
    step.run(claim(database))

    planned = {(row.destination_id, row.report_kind) for row in rows(database, DeliveryRow)}
    assert planned == {(1, report_format.kind) for report_format in DEFAULT_FORMATS}
    assert [job.subject for job in rows(database, JobRow) if job.kind == "deliver"] == ["1"]


def test_of_a_result_that_was_rejected_before_only_the_structured_report_goes(
    step: ReportStep, archive: Archive, database: Database
) -> None:
    with database.transaction() as session:
        add_rule(session, add_destination(session, "pacs", "folder", "/pacs"))
    prediction = keep(archive, build_circle_opt(), build_prediction())
    with database.transaction() as session:
        rejection = ReviewDraft(ReviewDecision.REJECT, "dr-ito", "Drusen.")
        record_review(session, prediction.prediction_id, rejection, utc_now())

    step.run(claim(database))

    assert [row.report_kind for row in rows(database, DeliveryRow)] == ["sr"]
    assert {row.kind for row in rows(database, ReportRow)} == set(DEFAULT_KINDS)


def test_picture_that_was_planned_at_the_moment_of_its_rejection_goes_nowhere(
    step: ReportStep, archive: Archive, database: Database
) -> None:
    with database.transaction() as session:
        add_rule(session, add_destination(session, "pacs", "folder", "/pacs"))
    prediction = keep(archive, build_circle_opt(), build_prediction())
    replace(step, formats=(StructuredReport(), SecondaryCapture())).run(claim(database))
    with database.transaction() as session:
        rejection = ReviewDraft(ReviewDecision.REJECT, "dr-ito", "Drusen.")
        record_review(session, prediction.prediction_id, rejection, utc_now())
        # As by a transaction that looked for reviews before, and ended after this one.
        session.execute(update(DeliveryRow).values(state="waiting", dismissed_at=None))
    with database.transaction() as session:
        claims = ledger.claim(session, JobKind.REPORT_REVIEW, "worker", 10, 60)

    ReviewStep(database, archive.storage).run(claims)

    waiting = [row for row in rows(database, DeliveryRow) if row.state == "waiting"]
    assert [row.report_kind for row in waiting] == ["sr", "sr"]


def test_text_is_written_and_sent_where_a_rule_names_it(
    step: ReportStep, archive: Archive, database: Database
) -> None:
    with database.transaction() as session:
        add_rule(session, add_destination(session, "all", "folder", "/a"))
        text = add_destination(session, "text", "folder", "/t")
        add_rule(session, text, laterality="R", report_kinds=["text"])
    only_sr = replace(step, formats=(StructuredReport(),))
    for laterality in Laterality:
        scan = build_circle_opt(laterality=laterality)
        result = build_prediction(laterality=laterality, prediction_id=str(laterality))
        keep(archive, scan, result)

    only_sr.run(claim(database))

    kept = {(row.prediction_id, row.kind) for row in rows(database, ReportRow)}
    assert kept == {("R", "sr"), ("L", "sr"), ("R", "text")}
    planned = [(row.destination_id, row.report_kind) for row in rows(database, DeliveryRow)]
    assert sorted(planned) == [(1, "sr"), (1, "sr"), (2, "text")]


def test_text_goes_by_every_rule_where_it_is_written_of_all(
    step: ReportStep, archive: Archive, database: Database
) -> None:
    with database.transaction() as session:
        add_rule(session, add_destination(session, "all", "folder", "/a"))
    keep(archive, build_circle_opt(), build_prediction())

    replace(step, formats=(TextReport(),)).run(claim(database))

    assert [row.report_kind for row in rows(database, DeliveryRow)] == ["text"]


def test_scan_of_another_eye_is_not_reported_and_leaves_nothing(
    step: ReportStep, archive: Archive, database: Database
) -> None:
    keep(archive, build_circle_opt(), build_prediction(laterality=Laterality.LEFT))

    with pytest.raises(SourceConflict):
        step.run(claim(database))

    assert rows(database, ReportRow) == []
    assert len(rows(database, InstanceRow)) == 1


def test_localizer_of_another_eye_that_came_late_stops_the_report(
    step: ReportStep, archive: Archive, database: Database
) -> None:
    keep(archive, build_circle_opt(), build_prediction())
    receive(archive, build_localizer(ImageLaterality="L"))

    with pytest.raises(SourceConflict):
        step.run(claim(database))

    assert rows(database, ReportRow) == []


def test_prediction_that_is_not_recorded_is_not_found(step: ReportStep, database: Database) -> None:
    with database.transaction() as session:
        ledger.enqueue(session, JobKind.REPORT, "nothing")

    with pytest.raises(RecordNotFound):
        step.run(claim(database))


def test_giving_up_leaves_the_prediction_as_it_is(
    step: ReportStep, archive: Archive, database: Database
) -> None:
    prediction = keep(archive, build_circle_opt(), build_prediction())
    (claimed,) = claim(database)

    with database.transaction() as session:
        step.give_up(session, claimed, "the reports do not fit")

    (recorded,) = rows(database, PredictionRow)
    assert (recorded.id, recorded.status) == (prediction.prediction_id, PredictionStatus.FINAL)
    assert np.allclose(recorded.sensitivities_db, prediction.estimate.sensitivities_db)


def test_text_report_is_built_where_it_is_asked_for(
    step: ReportStep, archive: Archive, database: Database
) -> None:
    keep(archive, build_circle_opt(), build_prediction())

    replace(step, formats=REPORT_FORMATS).run(claim(database))

    text = report_of(archive, ReportKind.TEXT)
    assert text.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.22"
    assert len(rows(database, ReportRow)) == len(REPORT_FORMATS)


class _OfTheOtherEye(StructuredReport):
    """A format with the fault that must never reach anyone."""

    def build(self, prediction: Prediction, sources: Sequence[Dataset], *others: Any) -> Dataset:
        for source in sources:
            source.ImageLaterality = "L"
        mirrored = replace(prediction, laterality=Laterality.LEFT)
        return super().build(mirrored, sources, *others)


def test_report_of_the_wrong_eye_is_never_kept(
    step: ReportStep, archive: Archive, database: Database
) -> None:
    keep(archive, build_circle_opt(), build_prediction())

    with pytest.raises(ReportWrong):
        replace(step, formats=(_OfTheOtherEye(),)).run(claim(database))

    assert rows(database, ReportRow) == []
    assert len(rows(database, InstanceRow)) == 1


def test_page_of_the_second_eye_shows_the_first(
    step: ReportStep, archive: Archive, database: Database
) -> None:
    right, left = build_circle_opt(), build_circle_opt(laterality=Laterality.LEFT)
    left.StudyInstanceUID = right.StudyInstanceUID
    keep(archive, right, build_prediction(prediction_id="right"))
    keep(archive, left, build_prediction(prediction_id="left", laterality=Laterality.LEFT))

    with database.reading() as session:
        context = read_context(session, "left")

    assert context.other_eye is not None
    assert context.other_eye.prediction_id == "right"
