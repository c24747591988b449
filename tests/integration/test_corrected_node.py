"""A PACS corrects a Patient ID: what a viewer that was sent the report is sent then."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copyfile

import pytest
from pydicom import Dataset, dcmread

from arcuate.waiting import wait_until
from core import ledger
from core.database import Database
from core.deliveries.destinations import add_destination
from core.deliveries.rules import add_rule
from core.predictions import record_prediction
from core.settings import Settings
from core.tables.jobs import JobKind
from core.values.identity import PatientIdentity
from dicom_node.delivery.reissuing import ReissueStep
from dicom_node.delivery.reporting import ReportStep
from dicom_node.delivery.targets.register import find_target
from dicom_node.peers import add_peer
from dicom_node.storage.archive import Archive
from dicom_node.storage.duplicate_policy import DuplicatePolicy
from reports.equipment import Equipment
from reports.report import ReportKind
from reports.structured_report import StructuredReport
from tests.builders.opt import build_circle_opt
from tests.builders.prediction import build_prediction
from tests.builders.received import open_test_archive, receive
from tests.builders.recorded_scan import record_scan
from tests.builders.sent_report import SentReports
from tests.fixtures.node import PATIENCE_SECONDS, RunningNode, running_node
from tests.fixtures.storescp import STORESCP, Storescp, running_storescp

WRONG, RIGHT = "TEST-0001", "RIGHT-1"


@pytest.fixture
def viewer(tmp_path: Path, need: Callable[[str], None]) -> Iterator[Storescp]:
    need("storescp")
    with running_storescp(tmp_path / "viewer") as scp:
        yield scp


@pytest.fixture(scope="module")
def node(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    home = tmp_path_factory.mktemp("node")
    copyfile(sqlite_template, home / "arcuate.db")
    settings = Settings(
        home=home,
        dicom_port=0,
        http_port=0,
        auth="none",
        log_level="warning",
        duplicates="replace",
    )
    with running_node(settings) as running:
        yield running


def send_structured_reports_to(database: Database, viewer: Storescp) -> None:
    options = find_target("dicom_peer").read_options(STORESCP, {"commitment": "no"}, None)
    with database.transaction() as session:
        add_peer(session, STORESCP, "127.0.0.1", viewer.port)
        row = add_destination(session, "viewer", "dicom_peer", STORESCP, options)
        add_rule(session, row, report_kinds=[ReportKind.STRUCTURED_REPORT])


def of_patient(viewer: Storescp, patient_id: str) -> list[Dataset]:
    # A file that is still being written has no patient yet.
    arrived = [dcmread(path, force=True) for path in viewer.files]
    return [one for one in arrived if one.get("PatientID") == patient_id]


def predecessors_of(report: Dataset) -> set[str]:
    return {
        str(instance.ReferencedSOPInstanceUID)
        for study in report.get("PredecessorDocumentsSequence", ())
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }


def assert_follows(viewer: Storescp) -> None:
    [former], [corrected] = of_patient(viewer, WRONG), of_patient(viewer, RIGHT)
    assert corrected.Modality == "SR"
    assert predecessors_of(corrected) == {former.SOPInstanceUID}
    assert corrected.StudyInstanceUID == former.StudyInstanceUID
    assert corrected.SOPInstanceUID != former.SOPInstanceUID


@pytest.mark.slow
def test_whole_node_sends_the_report_with_the_corrected_id(
    node: RunningNode, viewer: Storescp, tmp_path: Path
) -> None:
    send_structured_reports_to(node.database, viewer)
    for patient_id in (WRONG, RIGHT):
        [sent] = node.send_datasets(tmp_path / patient_id, build_circle_opt(PatientID=patient_id))

        assert sent.status == 0
        arrived = wait_until(
            lambda wanted=patient_id: bool(of_patient(viewer, wanted)), PATIENCE_SECONDS
        )
        assert arrived, node.get("/v1/jobs")

    assert_follows(viewer)


def test_report_with_the_corrected_id_is_sent(
    settings: Settings, database: Database, viewer: Storescp
) -> None:
    archive = open_test_archive(settings, database)
    sent = SentReports(archive, settings)
    send_structured_reports_to(database, viewer)
    record_scan(archive, database)
    report_and_send(archive, sent)

    key = receive(
        replace(archive, duplicates=DuplicatePolicy.REPLACE), build_circle_opt(PatientID=RIGHT)
    )
    score_anew(database, key)
    report_and_send(archive, sent)

    assert_follows(viewer)


def score_anew(database: Database, instance_key: int) -> None:
    patient = PatientIdentity(RIGHT, None, "Test^Eye", None, "F")
    with database.transaction() as session:
        scored = replace(build_prediction(prediction_id="p2"), patient=patient)
        record_prediction(session, scored, instance_key, None)
        ledger.enqueue(session, JobKind.REPORT, "p2")


def report_and_send(archive: Archive, sent: SentReports) -> None:
    formats = (StructuredReport(),)
    reports = ReportStep(archive.database, archive.storage, Equipment("1.2.3", "node-1"), formats)
    for step in (reports, ReissueStep(reports)):
        with archive.database.transaction() as session:
            claims = ledger.claim(session, step.kind, "worker", 10, 60)
        step.run(claims)
    sent.deliver()
