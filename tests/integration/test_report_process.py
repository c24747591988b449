"""Reports drawn by the process that does only that, on a real archive."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydicom import Dataset
from sqlmodel import Session, select

from arcuate.report_process import (
    ReportProcess,
    ReportProcessDied,
    report_process,
    report_steps,
)
from core import ledger
from core.both_eyes import read_both_eyes
from core.clock import utc_now
from core.database import Database
from core.errors import RecordNotFound
from core.predictions import record_prediction
from core.process_pool import ProcessPool
from core.settings import Settings
from core.study_facts import read_facts
from core.study_summaries import settle
from core.tables.columns import key_of
from core.tables.instances import InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.reports import ReportRow
from core.tables.studies import StudyRow
from core.tables.study_summaries import StudySummaryRow
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from dicom_node.delivery.reporting import ReportStep
from dicom_node.storage.archive import Archive
from dicom_node.storage.reports import keep_report
from dicom_node.storage.retrieve import read_dataset
from reports.both_eyes_register import BOTH_EYES_FORMATS
from reports.register import DEFAULT_FORMATS
from tests.builders.opt import build_circle_opt
from tests.builders.prediction import Loss, build_prediction
from tests.builders.received import open_test_archive, receive


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    return open_test_archive(settings, database)


@pytest.fixture
def process(settings: Settings, database: Database) -> Iterator[ReportProcess]:
    with report_process(settings) as running:
        yield running


def keep(archive: Archive, laterality: Laterality) -> str:
    """Take a scan in and record a prediction of it, with its job; return the prediction's id."""
    scan = build_circle_opt(laterality=laterality)
    scan.StudyInstanceUID = "1.2.3"
    key = receive(archive, scan)
    uids = (scan.StudyInstanceUID, scan.SeriesInstanceUID, scan.SOPInstanceUID)
    prediction = replace(
        build_prediction(laterality=laterality, loss=Loss.ARCUATE),
        prediction_id=str(laterality),
        patient=PatientIdentity("TEST-0001", None, "Test^Eye", None, "F"),
        source=InstanceIdentity(*map(str, uids), "TEST-ACC-1"),
    )
    with archive.database.transaction() as session:
        record_prediction(session, prediction, key, None)
        session.get_one(InstanceRow, key).outcome = InstanceOutcome.PREDICTED
        ledger.enqueue(session, JobKind.REPORT, prediction.prediction_id)
    return prediction.prediction_id


def work(database: Database, step: ReportStep) -> None:
    with database.transaction() as session:
        claims = ledger.claim(session, JobKind.REPORT, "worker", 10, 60)
    step.run(claims)


def test_reports_are_those_that_are_built_here(
    settings: Settings,
    database: Database,
    archive: Archive,
    process: ReportProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prediction_id = keep(archive, Laterality.RIGHT)
    step, _ = report_steps(settings, database, archive.storage, process)

    with monkeypatch.context() as patched:
        # This process does not draw.
        patched.delattr(ReportStep, "build")
        work(database, step)

    with database.reading() as session:
        kept = {row.kind: row for row in session.exec(select(ReportRow)).all()}
        datasets = {kind: _dataset(session, archive, row) for kind, row in kept.items()}
        status = session.exec(select(JobRow.status).where(JobRow.kind == JobKind.REPORT)).one()
    here = dict(step.build(prediction_id))
    assert status == JobStatus.DONE
    assert set(kept) == {report_format.kind for report_format in DEFAULT_FORMATS}
    for kind, dataset in datasets.items():
        assert dataset.SOPInstanceUID == here[kind].SOPInstanceUID
        assert dataset.PatientID == "TEST-0001"


def test_both_eyes_are_drawn_there_too(
    settings: Settings, database: Database, archive: Archive, process: ReportProcess
) -> None:
    for laterality in Laterality:
        keep(archive, laterality)
    eyes, study = report_steps(settings, database, archive.storage, process)
    work(database, eyes)
    summary = _settled(archive)
    with database.reading() as session:
        both = read_both_eyes(session, session.get_one(StudySummaryRow, summary))
    assert both is not None

    written = process.write_both(summary, both)

    with database.transaction() as session:
        rows = [keep_report(session, report) for _, report in written]
    assert [kind for kind, _ in written] == [one.kind for one in BOTH_EYES_FORMATS]
    here = [report for _, report in study.build(summary, both)]
    assert [row.sop_instance_uid for row in rows] == [one.SOPInstanceUID for one in here]


def test_what_is_wrong_with_a_prediction_is_told(process: ReportProcess) -> None:
    with pytest.raises(RecordNotFound):
        process.write("nobody")


def test_a_process_that_died_is_followed_by_another(
    archive: Archive, process: ReportProcess
) -> None:
    prediction_id = keep(archive, Laterality.RIGHT)
    process.write(prediction_id)
    [child] = multiprocessing.active_children()
    child.kill()
    child.join()

    assert process.write(prediction_id)


def test_a_process_that_dies_of_a_report_twice_says_so(settings: Settings) -> None:
    with ProcessPool(1) as pool:
        dying = ReportProcess(settings, pool)
        with pytest.raises(ReportProcessDied) as died:
            dying._done(_die, None)
    # Memory may do for it later.
    assert died.value.retry


def _dataset(session: Session, archive: Archive, row: ReportRow) -> Dataset:
    uid = session.get_one(InstanceRow, row.instance_key).sop_instance_uid
    return read_dataset(session, archive.storage, uid)


def _settled(archive: Archive) -> int:
    """Have the summary of the study settled; return its primary key."""
    now = utc_now()
    with archive.database.transaction() as session:
        study_key = key_of(session.exec(select(StudyRow)).one())
        row = StudySummaryRow(study_key=study_key, version=1, opened_at=now, changed_at=now)
        session.add(row)
        session.flush()
        settle(session, row, read_facts(session, study_key), now)
        return key_of(row)


def _die(_: None) -> list[object]:
    os.kill(os.getpid(), signal.SIGKILL)
    return []
