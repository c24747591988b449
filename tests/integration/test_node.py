"""The main job, from a real association to the archive, the REST API and the page."""

import io
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import highdicom
import numpy as np
import psycopg
import pytest
from pydicom import Dataset, dcmread
from sqlalchemy import make_url
from sqlmodel import select

from arcuate.roles import Role
from arcuate.waiting import wait_until
from core.perimetry.pattern import X_DEGREE
from core.perimetry.rnfl import normal_profile_um
from core.settings import Settings
from core.tables.instances import InstanceOutcome
from core.tables.jobs import JobRow, JobStatus
from core.tables.predictions import PredictionRow
from core.values.laterality import Laterality
from core.values.profile import PROFILE_ANGLES_DEGREE
from inference.simulation.circle_course import CircleCourse
from sample_dicom.eye import Recording
from tests.builders.opt import build_circle_opt, build_localizer, encoded
from tests.fixtures.node import DEVICE, PATIENCE_SECONDS, RunningNode, running_node

SR_CLASS = "1.2.840.10008.5.1.4.1.1.88.34"
SC_CLASS = "1.2.840.10008.5.1.4.1.1.7"
PDF_CLASS = "1.2.840.10008.5.1.4.1.1.104.1"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def node(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningNode]:
    """One running node per kind of database, shared by the tests of this file."""
    home = tmp_path_factory.mktemp("node")
    if request.param == "sqlite":
        copyfile(request.getfixturevalue("sqlite_template"), home / "arcuate.db")
        url = f"sqlite:///{home / 'arcuate.db'}"
        with running_node(node_settings(home, url)) as running:
            yield running
        return
    template = make_url(request.getfixturevalue("postgres_url"))
    admin = template.set(database="postgres", drivername="postgresql")
    name = f"arcuate_node_{os.getpid()}"
    with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template.database}")
        url = template.set(database=name).render_as_string(hide_password=False)
        with running_node(node_settings(home, url)) as running:
            yield running
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def node_settings(home: Path, url: str) -> Settings:
    return Settings(
        home=home,
        database_url=url,
        dicom_port=0,
        http_port=0,
        auth="none",
        log_level="warning",
        lease_seconds=10,
    )


def storescu(node: RunningNode, *paths: Path, calling: str = DEVICE) -> subprocess.CompletedProcess:
    address = (node.peer.host, str(node.peer.port))
    command = ["storescu", "-v", "-aet", calling, "-aec", node.peer.ae_title, *address]
    return subprocess.run([*command, *map(str, paths)], capture_output=True, text=True, check=False)


def uid_of(path: Path) -> str:
    return str(dcmread(path, stop_before_pixels=True).SOPInstanceUID)


@pytest.fixture
def circle(shared_data: Path) -> Path:
    return shared_data / "oct" / "spectralis_circle_od"


@pytest.fixture
def scored_circle(node: RunningNode, circle: Path, need) -> dict:
    need("storescu")
    sent = storescu(node, circle / "bscan_opt.dcm", circle / "localizer_op.dcm")
    assert sent.returncode == 0, sent.stderr
    assert (sent.stdout + sent.stderr).count("Received Store Response (Success)") == 2
    return node.wait_for_prediction(uid_of(circle / "bscan_opt.dcm"))


def test_real_circle_scan_gives_a_field_of_the_right_eye(scored_circle: dict) -> None:
    sensitivities = np.array(scored_circle["sensitivities"])

    assert (scored_circle["status"], scored_circle["laterality"]) == ("final", "R")
    assert scored_circle["estimated"] is True
    assert sensitivities.shape == (52,)
    assert np.all((sensitivities >= 0) & (sensitivities <= 40))
    assert np.ptp(sensitivities) > 1


def test_result_is_found_by_patient_and_by_study(node: RunningNode, scored_circle: dict) -> None:
    patient, study = scored_circle["patient"]["patient_id"], scored_circle["study_instance_uid"]

    by_patient = node.get(f"/v1/patients/{patient}/predictions")["items"]
    by_study = node.get(f"/v1/studies/{study}/predictions")["items"]

    assert scored_circle["id"] in {item["id"] for item in by_patient}
    assert [item["id"] for item in by_study] == [scored_circle["id"]]


def test_reports_are_kept_in_the_study_of_the_scan(node: RunningNode, scored_circle: dict) -> None:
    reports = node.wait_for_reports(scored_circle)

    assert {report["sop_class_uid"] for report in reports} == {SR_CLASS, SC_CLASS, PDF_CLASS}
    report = dcmread(io.BytesIO(node.client.get(scored_circle["links"]["report"]).content))
    assert report.StudyInstanceUID == scored_circle["study_instance_uid"]
    assert "not measured" in report.SeriesDescription


def test_report_holds_the_same_52_points_as_the_api(node: RunningNode, scored_circle: dict) -> None:
    node.wait_for_reports(scored_circle)
    content = node.client.get(scored_circle["links"]["report"]).content
    document = highdicom.sr.srread(io.BytesIO(content))
    groups = document.content.get_image_measurement_groups()

    points = {}
    for group in groups:
        numbers = {m.name.value: m.value for m in group.get_measurements()}
        if "PTS" in numbers:
            points[numbers["PTX"], numbers["PTY"]] = numbers["PTS"]

    expected = {(p["x"], p["y"]): p["sensitivity"] for p in scored_circle["points"]}
    assert points.keys() == expected.keys()
    assert all(points[place] == pytest.approx(expected[place], abs=0.06) for place in expected)


def test_page_and_picture_show_the_result(node: RunningNode, scored_circle: dict) -> None:
    node.wait_for_reports(scored_circle)

    page = node.client.get(scored_circle["links"]["page"])
    picture = node.client.get(f"/v1/predictions/{scored_circle['id']}/report.png")

    assert "not measured" in page.text
    assert picture.content.startswith(b"\x89PNG")


def test_localizer_is_listed_as_no_model_input(node: RunningNode, scored_circle: dict) -> None:
    study = scored_circle["study_instance_uid"]

    def outcomes() -> list[str]:
        instances = node.get(f"/v1/studies/{study}/instances")["items"]
        return [i["outcome"] for i in instances if i["sop_class_uid"].endswith("77.1.5.1")]

    left = [InstanceOutcome.NOT_MODEL_INPUT]
    assert wait_until(lambda: outcomes() == left, PATIENCE_SECONDS), outcomes()


def test_macular_line_is_not_assessable(node: RunningNode, shared_data: Path, need) -> None:
    need("storescu")
    line = shared_data / "oct" / "spectralis_line_macula_od"

    sent = storescu(node, *sorted(line.glob("*.dcm")))
    prediction = node.wait_for_prediction(uid_of(line / "bscan_opt.dcm"))

    assert sent.returncode == 0
    assert prediction["status"] == "not_assessable"
    assert [r["code"] for r in prediction["reasons"]] == ["scan_pattern_unsupported"]
    assert prediction["sensitivities"] is None


def test_unknown_caller_is_refused_and_listed(node: RunningNode, circle: Path, need) -> None:
    need("storescu")

    refused = storescu(node, circle / "bscan_opt.dcm", calling="STRANGER")

    assert refused.returncode != 0
    assert "Calling AE Title Not Recognized" in refused.stdout + refused.stderr
    callers = node.get("/v1/callers")["items"]
    assert "STRANGER" in {caller["calling_ae_title"] for caller in callers}


def lopsided_profile() -> np.ndarray:
    """An inferotemporal arc lost: the upper field of that eye must be worse."""
    distance = (PROFILE_ANGLES_DEGREE - 285 + 180) % 360 - 180
    lost = np.exp(-((distance / 25) ** 2))
    return normal_profile_um(60.0) * (1 - 0.65 * lost)


def test_same_defect_in_either_eye_gives_mirrored_fields(node: RunningNode, tmp_path: Path) -> None:
    # The left eye is recorded clockwise from nasal, so that its pixels are not the right eye's.
    courses = {Laterality.RIGHT: None, Laterality.LEFT: CircleCourse(180.0, True)}
    found = {}
    for laterality, course in courses.items():
        recording = Recording(course=course) if course else None
        scan = build_circle_opt(
            laterality=laterality,
            thickness_um=lopsided_profile(),
            recording=recording,
            key=f"mirror-{laterality}",
        )
        assert all(result.is_kept for result in node.send_datasets(tmp_path / laterality, scan))
        found[laterality] = node.wait_for_prediction(scan.SOPInstanceUID)

    right, left = found[Laterality.RIGHT], found[Laterality.LEFT]
    assert (right["laterality"], left["laterality"]) == ("R", "L")
    deviations = [np.array([p["total_deviation"] for p in f["points"]]) for f in (right, left)]
    assert np.abs(deviations[0] - deviations[1]).mean() < 1.5
    upper = slice(0, 26)
    assert all(values[upper].mean() < values[26:].mean() - 3 for values in deviations)
    assert [p["x"] for p in right["points"]] == X_DEGREE.tolist()
    assert [p["x"] for p in left["points"]] == (-X_DEGREE).tolist()


def test_worker_killed_in_the_middle_of_its_jobs_loses_and_doubles_nothing(
    node: RunningNode, tmp_path: Path
) -> None:
    scans = [build_circle_opt(key=f"kill-{number}") for number in range(12)]
    node.send_datasets(tmp_path, *scans)
    uids = [str(scan.SOPInstanceUID) for scan in scans]

    for _ in range(2):
        assert wait_until(lambda: running_jobs(node) > 0 or scored(node, uids) == 12, 60)
        os.kill(node.supervisor.process_id(Role.INFER), signal.SIGKILL)
        before = node.supervisor.process_id(Role.INFER)
        assert wait_until(lambda: node.supervisor.process_id(Role.INFER) != before, 60)  # noqa: B023

    assert wait_until(lambda: scored(node, uids) == 12, PATIENCE_SECONDS)
    with node.database.reading() as session:
        kept = session.exec(select(PredictionRow)).all()
    assert len({row.instance_key for row in kept}) == len(kept)


def running_jobs(node: RunningNode) -> int:
    with node.database.reading() as session:
        statement = select(JobRow).where(JobRow.status == JobStatus.RUNNING)
        return len(session.exec(statement).all())


def scored(node: RunningNode, uids: list[str]) -> int:
    items = node.get("/v1/predictions", limit=200)["items"]
    return sum(item["sop_instance_uid"] in uids and item["status"] == "final" for item in items)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"Rows": 60000, "Columns": 60000}, {"too_large", "pixels_truncated"}),
        ({"truncated": True}, {"pixels_truncated"}),
        ({"pixels": None}, {"pixels_unreadable"}),
        ({"ImageLaterality": None, "frame_laterality": None}, {"laterality_missing"}),
        ({"frame_laterality": "L"}, {"laterality_conflict"}),
        ({"spacing_mm": None}, {"spacing_missing"}),
        ({"age_years": None}, {"age_missing"}),
    ],
    ids=["too large", "truncated", "no pixels", "no eye", "two eyes", "no spacing", "no age"],
)
def test_unfit_scan_ends_with_its_reason_and_no_field(
    node: RunningNode, tmp_path: Path, fault: dict, reason: set[str], request
) -> None:
    scan = build_circle_opt(key=request.node.callspec.id, **fault)

    assert all(result.is_kept for result in node.send_datasets(tmp_path, scan))
    prediction = node.wait_for_prediction(scan.SOPInstanceUID)

    assert prediction["status"] == "not_assessable"
    assert {r["code"] for r in prediction["reasons"]} <= reason
    assert prediction["reasons"] != []
    assert prediction["sensitivities"] is None


def test_localizer_of_the_other_eye_is_a_conflict(node: RunningNode, tmp_path: Path) -> None:
    scan = build_circle_opt(key="other-eye")
    localizer = build_localizer(key="other-eye", ImageLaterality="L")

    node.send_datasets(tmp_path, scan, localizer)
    prediction = node.wait_for_prediction(scan.SOPInstanceUID)

    assert [r["code"] for r in prediction["reasons"]] == ["laterality_conflict"]


def test_bytes_are_kept_as_they_were_sent(node: RunningNode, tmp_path: Path) -> None:
    scan = build_circle_opt(key="bytes")
    node.send_datasets(tmp_path, scan)
    node.wait_for_prediction(scan.SOPInstanceUID)

    sent = dcmread(io.BytesIO(encoded(scan)))
    kept = read_kept(node, scan)

    assert kept == sent


def read_kept(node: RunningNode, scan: Dataset) -> Dataset:
    from dicom_node.storage.retrieve import read_dataset

    with node.database.reading() as session:
        return read_dataset(session, node.storage, scan.SOPInstanceUID)
