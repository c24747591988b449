"""Pages people search and act on: patients, trends, peers, callers, queue, quarantine, models."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import httpx
import numpy as np
import pytest

from core.clock import utc_now
from core.database import Database
from core.keys import Role, create_key
from core.ledger import enqueue
from core.model_choice import KnownModel
from core.models import activate_model, register_models, shadow_model
from core.settings import Settings
from core.shadow_predictions import ShadowPrediction, record_shadow_prediction
from core.tables.columns import key_of
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.patients import PatientRow
from core.tables.peers import PeerRow, RefusedCallerRow
from core.tables.quarantine import QuarantineRow
from core.tables.sightings import DeviceRow
from core.values.identity import PatientIdentity
from core.values.laterality import Laterality
from core.values.person_name import FoldedName
from core.values.prediction import FieldEstimate, ModelIdentity, PredictionStatus
from core.values.scan import Device, ScanKind
from dicom_node.peers import add_peer
from dicom_node.storage import patient_search
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_patient
from tests.builders.visits import PATIENT, build_visit, keep_visit, keep_visits
from tests.fixtures.http_server import http_server

_HTML = {"Accept": "text/html"}
_NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
_ATTACK = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}"
_WANG = PatientIdentity("H-1", "Hospital", "Wang^Xiaoming=王^小明", date(1957, 4, 2), "F")
#: A patient looks for 30 seconds at most: this machine may be busy.
_PATIENCE_SECONDS = 90


@pytest.fixture
def url(settings: Settings, database: Database) -> Iterator[str]:
    locked = settings.model_copy(update={"auth": "keys"})
    with http_server(locked, database, Storage(settings.storage)) as served:
        yield served


def _client(url: str, database: Database, role: Role) -> httpx.Client:
    with database.transaction() as session:
        key = create_key(session, role, role)
    headers = {**_HTML, "X-API-Key": key}
    return httpx.Client(base_url=url, headers=headers, timeout=_PATIENCE_SECONDS)


@pytest.fixture
def client(url: str, database: Database) -> Iterator[httpx.Client]:
    with _client(url, database, Role.OPERATOR) as opened:
        yield opened


@pytest.fixture
def viewer(url: str, database: Database) -> Iterator[httpx.Client]:
    with _client(url, database, Role.VIEWER) as opened:
        yield opened


class _Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        assert answer.status_code == 200, answer.text
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._texts: list[str] = []
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self._texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._texts).split())

    def values(self, tag: str, name: str) -> list[str]:
        return [str(a[name]) for found, a in self.tags if found == tag and name in a]

    def marks(self, kind: str) -> int:
        return sum(f"mark {kind}" in (a.get("class") or "") for _, a in self.tags)


def _keep_wang(database: Database) -> int:
    with database.transaction() as session:
        keep_visits(session, _WANG)
        row = keep_patient(session, _WANG)
        folded = FoldedName.of(_WANG.name)
        row.name_alphabetic, row.name_ideographic = folded.alphabetic, folded.ideographic
        return key_of(row)


def test_patient_is_found_by_each_field_and_named_by_a_key(
    client: httpx.Client, database: Database
) -> None:
    key = _keep_wang(database)
    with database.transaction() as session:
        keep_visits(session, PatientIdentity("H-2", "Hospital", "Other^Person"))

    for form in (
        {"name": "王小明"},
        {"name": "xiaoming wang"},
        {"patient_id": "H-1", "issuer": "Hospital"},
        {"accession_number": "ACC-H-1-Hospital-R-0"},
        {"birth_date": "1957-04-02"},
    ):
        page = _Page(client.post("/patients", data=form))

        assert f"/patients/{key}" in page.values("a", "href"), form
        assert "Wang, Xiaoming (王 小明)" in page.text
        assert "Other, Person" not in page.text


def test_search_finds_nobody_in_words(client: httpx.Client) -> None:
    assert "Nobody found" in _Page(client.post("/patients", data={"name": "nobody"})).text
    fault = _Page(client.post("/patients", data={"patient_id": "a\x01b"}))
    assert "This cannot be searched for: PatientID" in fault.text


def test_no_address_names_a_patient(client: httpx.Client, database: Database) -> None:
    key = _keep_wang(database)

    pages = [
        _Page(client.get("/patients")),
        _Page(client.post("/patients", data={"patient_id": "H-1", "name": "wang"})),
        _Page(client.get(f"/patients/{key}")),
    ]

    paths = [
        path
        for page in pages
        for name in ("href", "action", "hx-post", "hx-get", "src")
        for tag in ("a", "form", "div", "section", "script", "link")
        for path in page.values(tag, name)
    ]
    # The identifiers of predictions are those of this test, made from the patient's.
    told = [path for path in paths if not path.startswith("/predictions/")]
    assert [p for p in told if re.search(r"H-1|wang|1957|%E7%8E%8B", p, re.IGNORECASE)] == []
    assert {a.get("method") for t, a in pages[0].tags if t == "form"} == {"post"}


def test_search_goes_on_page_by_page(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        for number in range(52):
            session.add(
                PatientRow(
                    patient_id=f"X-{number:02d}", name="Many^One", name_alphabetic="many^one"
                )
            )

    first = _Page(client.post("/patients", data={"name": "many"}))
    [before] = [a["value"] for t, a in first.tags if t == "button" and a.get("name") == "before"]
    second = _Page(client.post("/patients", data={"name": "many", "before": before}))

    shown = [set(re.findall(r"X-\d\d", page.text)) for page in (first, second)]
    assert [len(page) for page in shown] == [50, 2]
    assert shown[0] & shown[1] == set()


def test_patient_page_shows_both_eyes_runs_slopes_and_what_is_left_out(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        keep_visits(session)
        moved = {"device": Device("Maker", "Scanner", "SN-9"), "scan_kind": ScanKind.VOLUME}
        keep_visit(session, "moved", datetime(2024, 3, 4, tzinfo=UTC), -9.0, **moved)
        refused = {"status": PredictionStatus.NOT_ASSESSABLE}
        keep_visit(session, "refused", datetime(2024, 9, 4, tzinfo=UTC), None, **refused)
        keep_visit(
            session, "left", datetime(2024, 9, 4, tzinfo=UTC), -1.0, laterality=Laterality.LEFT
        )
        neither = {**refused, "laterality": None}
        keep_visit(session, "neither", datetime(2024, 9, 5, tzinfo=UTC), None, **neither)
        key = key_of(keep_patient(session, PATIENT))

    page = _Page(client.get(f"/patients/{key}"))

    for words in (
        "Right eye (OD)",
        "Left eye (OS)",
        "ESTIMATED, not measured",
        "−0.68 dB/year",
        "95 % interval −0.87 to −0.49",
        "no slope: fewer than 4 visits",
        "run 1: Maker Scanner (SN-1), OCT circle, retinervenet 1.0.0; 5 visits",
        "2024-03-04 : Maker Scanner (SN-9); OCT volume",
        "Of neither eye",
        "This is no test of progression.",
        "exclude calling change over time",
    ):
        assert words in page.text
    # Two large drawings of the right eye with six visits each, six small ones, keys and the legend.
    assert page.marks("counted") > 6 * 8
    assert page.marks("not_assessable") == 2 + 1
    assert {"/predictions/moved", "/predictions/refused"} <= set(page.values("a", "href"))
    lines = [a for t, a in page.tags if t == "path" and "line" in (a.get("class") or "").split()]
    assert len(lines) == 8


def test_page_of_a_merged_record_is_that_of_whom_it_became(
    client: httpx.Client, database: Database
) -> None:
    key = _keep_wang(database)
    with database.transaction() as session:
        former = keep_patient(session, PatientIdentity("OLD-7", "Elsewhere", "Wang^X"))
        former.merged_into = key
        former_key = key_of(former)

    answer = client.get(f"/patients/{former_key}")

    assert answer.headers["location"] == f"/patients/{key}"
    assert "formerly OLD-7 · Elsewhere" in _Page(client.get(f"/patients/{key}")).text


def test_patient_that_is_not_there_is_not_found(client: httpx.Client) -> None:
    assert client.get("/patients/99").status_code == 404
    assert client.get("/patients/0").status_code == 422
    assert client.get("/patients/../../etc/passwd").status_code == 404


def _refuse(database: Database, reason: str = "calling_ae_title_not_recognised") -> None:
    with database.transaction() as session:
        row = RefusedCallerRow(
            calling_ae_title="OCT1",
            address="192.0.2.7",
            called_ae_title="ARCUATE",
            reason=reason,
            first_seen_at=_NOW,
            last_seen_at=_NOW,
        )
        session.add(row)


def test_refused_caller_is_allowed_by_its_button_and_then_shown_so(
    client: httpx.Client, viewer: httpx.Client, database: Database
) -> None:
    _refuse(database)
    assert "/callers/allow" in _Page(client.get("/callers")).values("form", "action")
    assert "/callers/allow" not in _Page(viewer.get("/callers")).values("form", "action")
    form = {"calling_ae_title": "OCT1", "address": "192.0.2.7"}
    assert viewer.post("/callers/allow", data=form).status_code == 403

    answer = client.post("/callers/allow", data=form, follow_redirects=True)

    page = _Page(answer)
    assert "Allowed" in page.text
    assert "/callers/allow" not in page.values("form", "action")
    with database.reading() as session:
        assert session.get_one(PeerRow, "OCT1").host == "192.0.2.7"


@pytest.mark.parametrize("reason", ["certificate_missing", "a_reason_of_a_later_version"])
def test_caller_refused_for_another_reason_has_no_button(
    client: httpx.Client, database: Database, reason: str
) -> None:
    _refuse(database, reason)

    page = _Page(client.get("/callers"))

    assert "/callers/allow" not in page.values("form", "action")
    assert reason in page.text


def test_peer_that_moved_is_named_before_it_is_allowed(
    client: httpx.Client, database: Database
) -> None:
    _refuse(database)
    with database.transaction() as session:
        add_peer(session, "OCT1", "192.0.2.1", 104, "Room 1")

    page = _Page(client.get("/callers"))
    client.post(
        "/callers/allow",
        data={"calling_ae_title": "OCT1", "address": "192.0.2.7", "moved": "true"},
    )

    assert "A peer of this AE title calls from 192.0.2.1." in page.text
    assert "OCT1 may then call from 192.0.2.7 and from 192.0.2.1 no more." in page.values(
        "form", "hx-confirm"
    )
    with database.reading() as session:
        peer = session.get_one(PeerRow, "OCT1")
    assert (peer.host, peer.port, peer.description) == ("192.0.2.7", 104, "Room 1")


def test_peer_is_added_asked_and_removed_on_the_page(
    client: httpx.Client, viewer: httpx.Client, database: Database
) -> None:
    form = {"ae_title": "PACS", "host": "192.0.2.50", "port": "104", "expect_every": "24h"}
    assert viewer.post("/peers", data=form).status_code == 403
    added = _Page(client.post("/peers", data=form, follow_redirects=True))
    asked = _Page(client.post("/peers/echo", data={"ae_title": "PACS"}, follow_redirects=True))
    part = _Page(client.get("/devices/peers"))
    removed = client.post("/peers/remove", data={"ae_title": "PACS"}, follow_redirects=True)

    assert "every 24 h" in added.text
    for page in (asked, part):
        assert "Being asked" in page.text
        # The page looks again by itself until the answer is there.
        assert page.values("div", "hx-get") == ["/devices/peers"]
    assert "No peers yet" in _Page(removed).text
    assert viewer.post("/peers/echo", data={"ae_title": "PACS"}).status_code == 403
    assert viewer.post("/peers/remove", data={"ae_title": "PACS"}).status_code == 403


def test_malformed_peer_is_refused_in_words(client: httpx.Client) -> None:
    answer = client.post("/peers", data={"ae_title": "PACS", "host": "not an address"})

    assert answer.status_code == 422
    assert "is neither an address, a network in CIDR notation, nor *" in answer.text


def test_devices_show_how_many_scans_could_be_assessed(
    client: httpx.Client, database: Database
) -> None:
    lately = utc_now() - timedelta(minutes=5)
    with database.transaction() as session:
        session.add(
            DeviceRow(
                manufacturer="Maker",
                model="Scanner",
                serial_number="SN-1",
                first_seen_at=_NOW,
                last_seen_at=_NOW,
            )
        )
        for number in range(4):
            keep_visit(session, f"good{number}", lately, -1.0)
        refused = {"status": PredictionStatus.NOT_ASSESSABLE}
        keep_visit(session, "bad", lately, None, **refused)

    text = _Page(client.get("/devices")).text

    assert "Maker Scanner (SN-1) 80 % 4/5 80 % 4/5" in text


def test_search_of_very_many_patients_asks_for_a_beginning(
    client: httpx.Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_search, "MOST_WALKED", 0)
    _keep_wang(database)

    page = _Page(client.post("/patients", data={"name": "*ang"}))

    assert "Add letters at the beginning" in page.text


def test_queue_says_why_and_tries_again(
    client: httpx.Client, viewer: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        keep_visits(session, values_db=(-1.0,))
        enqueue(session, JobKind.REPORT, "P-0001-Clinic-R-0")
        enqueue(session, JobKind.ANALYSE, "1", delay_seconds=3600)
        session.flush()
        job = session.get_one(JobRow, 1)
        job.status, job.error, job.attempts = JobStatus.FAILED, "The disk was full", 5

    queue, job_page = _Page(client.get("/jobs")), _Page(client.get("/jobs/1"))
    filtered = _Page(client.get("/jobs", params={"status": "queued", "kind": "analyse"}))

    for words in (
        "Stopped: no attempt is left, or none would help",
        "The disk was full",
        "Put off; next attempt in",
        "Write the reports of a result: 1 stopped",
    ):
        assert words in queue.text
    assert "The disk was full" not in filtered.text
    assert "/predictions/P-0001-Clinic-R-0" in job_page.values("a", "href")
    assert "/jobs/1/retry" not in _Page(viewer.get("/jobs")).values("form", "action")
    assert viewer.post("/jobs/1/retry").status_code == 403
    retried = _Page(client.post("/jobs/1/retry", follow_redirects=True))
    assert "Waits for its turn" in retried.text
    assert client.post("/jobs/1/retry").status_code == 409


def test_quarantine_shows_what_needs_somebody_until_it_is_dismissed(
    client: httpx.Client, viewer: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        for number, size in enumerate((7, 0)):
            session.add(
                QuarantineRow(
                    code="invalid_instance",
                    message=f"Fault {number}",
                    storage_key="ab/x.dcm",
                    size_bytes=size,
                    digest=f"{number}",
                    received_at=_NOW,
                )
            )

    before = _Page(client.get("/quarantine"))
    after = _Page(client.post("/quarantine/1/dismiss", follow_redirects=True))
    dismissed = _Page(client.get("/quarantine", params={"dismissed": "true"}))

    assert before.values("a", "href").count("/v1/quarantine/1/object") == 1
    # Nothing of the other was kept.
    assert "/v1/quarantine/2/object" not in before.values("a", "href")
    assert ("Fault 0" in after.text, "Fault 1" in after.text) == (False, True)
    assert "dismissed by operator" in dismissed.text
    assert viewer.post("/quarantine/2/dismiss").status_code == 403
    assert "/quarantine/2/dismiss" not in _Page(viewer.get("/quarantine")).values("form", "action")


def test_models_show_cards_agreement_and_drift(client: httpx.Client, database: Database) -> None:
    active = ModelIdentity("retinervenet", "1.0.0", "sha256:" + "0123456789abcdef" * 4)
    shadow = ModelIdentity("retinervenet", "2.0.0", "sha256:" + "f" * 64)
    card = {
        "intended_use": "Research only.",
        "not_for": ["children"],
        "limits": [],
        "notice": "Not validated.",
        "training_data": "Simulated",
        "trained_age_range_years": [20.0, 92.0],
        "norm": "SUNY-IU",
        "norm_age_range_years": [42.0, 85.0],
        "licence": "Open",
        "digest": active.digest,
        "figures": [],
    }
    lately = utc_now() - timedelta(minutes=5)
    with database.transaction() as session:
        known = [KnownModel(active, "profile", card=card), KnownModel(shadow, "profile")]
        register_models(session, known)
        activate_model(session, active, "retinervenet")
        shadow_model(session, shadow, "retinervenet")
        for number in range(12):
            visit = keep_visit(session, f"v{number}", lately, -3.0)
            estimate = visit.estimate
            assert estimate is not None
            arrays = (estimate.sensitivities_db, estimate.lower_db, estimate.upper_db)
            moved = FieldEstimate(*(array + np.float32(0.5) for array in arrays))
            found = ShadowPrediction(f"v{number}", shadow, lately, (), moved, -2.5)
            record_shadow_prediction(session, found)

    models = _Page(client.get("/models"))
    first, second = (_Page(client.get(f"/models/retinervenet/{n}.0.0")) for n in (1, 2))

    assert "retinervenet 1.0.0 Active" in models.text
    assert "retinervenet 2.0.0 Shadow" in models.text
    assert "Maker Scanner (SN-1) · 12 results" in models.text
    assert "Research only." in first.text
    assert "20–92" in first.text
    assert "No process that scores has read its card yet" in second.text
    for words in (
        "Beside the results of retinervenet 1.0.0",
        "Mean absolute difference, point by point 0.50 dB",
        "Bias of the MD 0.50 dB",
        "Limits of agreement of the MD 0.50 … 0.50 dB",
    ):
        assert words in second.text
    assert client.get("/models/retinervenet/9.0.0").status_code == 404


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_models_page_tells_how_busy_the_gpus_are(
    client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "GPUs of this host" not in _Page(client.get("/models")).text
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho '0, 1024, 40960, 37'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    assert "0 37 % 1.0 / 40.0 GiB" in _Page(client.get("/models")).text


def test_text_of_others_is_never_markup_on_these_pages(
    client: httpx.Client, database: Database
) -> None:
    identity = ModelIdentity(_ATTACK, "1.0.0", "sha256:" + "a" * 64)
    patient = PatientIdentity(_ATTACK, _ATTACK, _ATTACK, None, _ATTACK)
    with database.transaction() as session:
        keep_visits(
            session,
            patient,
            device=Device(_ATTACK, _ATTACK, _ATTACK),
            model=identity,
            values_db=(-1.0, -2.0),
        )
        register_models(session, [KnownModel(identity, "profile", card={"intended_use": _ATTACK})])
        made = build_visit("other", utc_now(), -1.0, patient=patient)
        keep_visit(session, "other", utc_now(), -1.0, device=replace(made.device, model=_ATTACK))
        session.add(
            DeviceRow(
                manufacturer=_ATTACK,
                model=_ATTACK,
                serial_number=_ATTACK,
                station_name=_ATTACK,
                first_seen_at=_NOW,
                last_seen_at=_NOW,
            )
        )
        add_peer(session, "OCT1", "*", description=_ATTACK)
        key = key_of(keep_patient(session, patient))

    paths = ("/patients", f"/patients/{key}", "/devices", "/models")
    pages = {path: _Page(client.get(path)) for path in paths}

    for path, page in pages.items():
        scripts = page.values("script", "src")
        assert (path, scripts) == (path, ["/static/vendor/htmx.min.js", "/static/unanswered.js"])
        assert [n for _, a in page.tags for n in a if n.startswith("on") or n == "style"] == []
        assert page.values("img", "src") == []
        assert _ATTACK[:20] in page.text


def test_pages_of_this_part_are_light(client: httpx.Client, database: Database) -> None:
    """Half a megabyte at most, however much an eye was scanned."""
    with database.transaction() as session:
        for number in range(420):
            at = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=20 * number)
            keep_visit(session, f"v{number}", at, -0.01 * number)
        key = key_of(keep_patient(session, PATIENT))

    answer = client.get(f"/patients/{key}")

    assert "Only the newest 400 results are shown." in answer.text
    assert len(answer.content) < 1_000_000
