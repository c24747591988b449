"""A whole node at work, telling everything it tells at its most talkative: of whom, it never says.

Every other test is looked at, too, by `tests/conftest.py`; here the way of one scan is walked with
all that can go wrong on it, and pages, errors and metrics are looked at beside the log.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from shutil import copyfile

import httpx
import pytest
from pydicom import Dataset

from core.keys import Role, create_key
from core.settings import Settings
from core.values.laterality import Laterality
from tests.builders.opt import build_circle_opt, build_localizer
from tests.fixtures.node import RunningNode, running_node
from tests.fixtures.query_scu import PATIENT_ROOT, ask, asking, identifier

NAME, PATIENT_ID, BORN = "Leakworthy^Ursula", "LEAK-0815-77", date(1931, 12, 24)
#: However it may be written.
TELLING = re.compile(r"leakworthy|ursula|LEAK-0815-77|1931-12-24|19311224|24\.12\.1931", re.I)
_ADDRESS = re.compile(r"""(?:href|src|action|hx-get|hx-post)\s*=\s*["']([^"']*)["']""")


@contextmanager
def errors_written_to(file: Path) -> Iterator[None]:
    """Have processes that start in the block write their standard error to a file."""
    kept = os.dup(2)
    with file.open("ab") as opened:
        os.dup2(opened.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "node.log"


@pytest.fixture
def node(tmp_path: Path, sqlite_template: Path, log: Path) -> Iterator[RunningNode]:
    home = tmp_path / "node"
    home.mkdir()
    copyfile(sqlite_template, home / "arcuate.db")
    settings = Settings(home=home, dicom_port=0, http_port=0, auth="keys", log_level="debug")
    with ExitStack() as stack:
        with errors_written_to(log):
            running = stack.enter_context(running_node(settings))
        with running.database.transaction() as session:
            key = create_key(session, "administrator", Role.ADMINISTRATOR)
        running.client.headers["X-API-Key"] = key
        yield running


def of_the_patient(*objects: Dataset) -> Sequence[Dataset]:
    for dataset in objects:
        dataset.PatientName, dataset.PatientID = NAME, PATIENT_ID
        dataset.PatientBirthDate = f"{BORN:%Y%m%d}"
    return objects


def send_good_and_bad(node: RunningNode, folder: Path) -> str:
    """Send a scan that is scored, and others that each fail in another way; return its UID."""
    good = build_circle_opt(key="good")
    other_content = build_circle_opt(key="good", seed=2)
    other_content.SOPInstanceUID = good.SOPInstanceUID
    objects = of_the_patient(
        good,
        build_localizer(key="good"),
        other_content,
        build_circle_opt(key="conflict", frame_laterality="L"),
        build_circle_opt(key="empty", pixels=None),
        build_circle_opt(key="cut", truncated=True),
        build_circle_opt(key="space", spacing_mm=None),
        build_circle_opt(key="odd", PatientAge="999Y"),
        build_circle_opt(key="left", laterality=Laterality.LEFT),
    )
    node.send_datasets(folder, *objects)
    return str(good.SOPInstanceUID)


def look_at_everything(node: RunningNode, prediction: dict[str, str]) -> Iterator[httpx.Response]:
    """Ask for every page, and wrongly for everything, by the patient's own name and ID."""
    one, study = prediction["id"], prediction["study_instance_uid"]
    asked = {"patient_id": PATIENT_ID, "name": NAME}
    for path in (
        "/",
        f"/predictions/{one}",
        "/devices",
        "/deliveries",
        "/quarantine",
        "/callers",
        "/jobs",
        "/webhooks",
        "/audit",
    ):
        yield node.client.get(path, headers={"Accept": "text/html"})
    for path in (
        f"/v1/patients/{PATIENT_ID}x",
        f"/v1/patients/{NAME}/predictions",
        f"/v1/predictions/{PATIENT_ID}",
        f"/v1/studies/{PATIENT_ID}",
        f"/dicom-web/studies/{PATIENT_ID}",
        f"/nothing/{PATIENT_ID}",
        f"/predictions/{NAME}",
    ):
        yield node.client.get(path, params={**asked, "limit": "many"})
        yield node.client.get(path)
    yield node.client.get("/v1/patients", params={**asked, PATIENT_ID: "1"})
    yield node.client.get("/dicom-web/studies", params={"PatientBirthDate": f"{NAME}-"})
    yield node.client.get("/dicom-web/studies", params={"StudyDate": NAME})
    yield node.client.post("/dicom-web/studies", content=NAME.encode())
    review = {"decision": NAME, "comment": PATIENT_ID}
    yield node.client.post(f"/v1/predictions/{one}/review", json=review)
    good = {"decision": "reject", "comment": f"{NAME} moved"}
    yield node.client.post(f"/v1/predictions/{one}/review", json=good)
    yield node.client.get(f"/v1/studies/{study}/instances")
    yield node.client.get("/v1/changes")
    yield node.client.get("/v1/audit")
    yield node.client.get("/metrics")


def test_nothing_the_node_tells_names_a_patient(
    node: RunningNode, tmp_path: Path, log: Path
) -> None:
    uid = send_good_and_bad(node, tmp_path / "scans")
    prediction = node.wait_for_prediction(uid)
    node.wait_for_reports(prediction)
    with asking(node.peer.port) as association:
        of_name = identifier("STUDY", PatientName=NAME, PatientID=PATIENT_ID)
        of_day = identifier("PATIENT", PatientBirthDate=f"{BORN:%Y%m%d}")
        found = [ask(association, of_name), ask(association, of_day, PATIENT_ROOT)]
    assert [(one.status, len(one.matches) > 0) for one in found] == [(0, True)] * 2
    answers = list(look_at_everything(node, prediction))

    assert {200, 404, 422} <= {answer.status_code for answer in answers}
    assert max(answer.status_code for answer in answers) < 500
    named = [answer for answer in answers if TELLING.search(answer.text)]
    assert [str(answer.url) for answer in named if answer.is_error] == []
    pages = [a for a in answers if a.headers["content-type"].startswith("text/html")]
    addresses = {address for page in pages for address in _ADDRESS.findall(page.text)}
    assert len(addresses) > 10
    assert {address for address in addresses if TELLING.search(address)} == set()
    told = [a for a in answers if a.url.path in {"/metrics", "/v1/changes", "/v1/audit"}]
    assert [str(answer.url) for answer in told if TELLING.search(answer.text)] == []

    lines = log.read_text("utf-8").splitlines()
    events = {json.loads(line)["event"] for line in lines if line.startswith("{")}
    assert [line for line in lines if TELLING.search(line)] == []
    assert {"dicom_listening", "models_score", "query_answered"} <= events, sorted(events)
