"""Every look at a patient, and every change, leaves an entry before it is answered."""

import json
import re
from collections.abc import Iterator
from datetime import date

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text
from sqlmodel import select

from api.app import create_app
from api.dashboard.register import PAGES
from core.audit.recording import append_audit
from core.clock import utc_now
from core.database import Database
from core.keys import Role, create_key
from core.settings import Settings
from core.tables.measured_fields import MeasuredFieldRow
from core.tables.predictions import PredictionRow
from core.tables.reviews import ReviewRow
from core.tables.studies import StudyRow
from core.values.audit import Actor
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_prediction
from tests.builders.audit import build_event
from tests.builders.prediction import build_prediction
from tests.fixtures.audit_trail import audited, told
from tests.fixtures.http_server import http_server
from tests.fixtures.signing_in import post_form, sign_in


@pytest.fixture
def locked(settings: Settings) -> Settings:
    return settings.model_copy(update={"auth": "keys", "audit_repeat_seconds": 0.0})


@pytest.fixture
def client(locked: Settings, database: Database) -> Iterator[httpx.Client]:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1"))
    storage = Storage(locked.storage)
    with (
        http_server(locked, database, storage) as url,
        httpx.Client(base_url=url, timeout=60) as opened,
    ):
        yield opened


def headers(database: Database, role: Role = Role.CLINICIAN) -> dict[str, str]:
    with database.transaction() as session:
        return {"X-API-Key": create_key(session, f"the {role}", role)}


def study_uid(database: Database) -> str:
    with database.reading() as session:
        return session.exec(select(StudyRow.study_instance_uid)).one()


def test_reading_one_result_names_who_and_whose(client: httpx.Client, database: Database) -> None:
    known = headers(database)

    assert client.get("/v1/predictions/p1", headers=known).status_code == 200

    [row] = audited(database)
    assert told(row) == ("the clinician", "read", "prediction", "p1", [1], "success")
    assert (row.actor_role, row.address) == ("clinician", "127.0.0.1")
    assert row.detail == {"method": "GET", "route": "/v1/predictions/{prediction_id}"}


@pytest.mark.parametrize(
    ("path", "action", "kind"),
    [
        ("/", "search", ""),
        ("/predictions/p1", "read", "prediction"),
        ("/predictions/p1/grey-scale.png", "read", "prediction"),
        ("/v1/predictions/p1/report.pdf", "export", "prediction"),
        ("/v1/predictions/p1/report.svg", "read", "prediction"),
        ("/v1/predictions/p1/report.fhir.json", "export", "prediction"),
        ("/v1/predictions/p1/reviews", "read", "prediction"),
        ("/v1/patients", "search", ""),
        ("/v1/studies/{study}", "read", "study"),
        ("/v1/studies/{study}/instances", "read", "study"),
        ("/dicom-web/studies", "search", ""),
        ("/dicom-web/studies/{study}/series", "search", "study"),
    ],
)
def test_every_way_to_a_patient_is_recorded(
    client: httpx.Client, database: Database, path: str, action: str, kind: str
) -> None:
    uid, known = study_uid(database), headers(database)

    assert client.get(path.format(study=uid), headers=known).status_code == 200

    [row] = audited(database)
    assert (row.action, row.object_kind, row.patients) == (action, kind, [1])


def test_search_says_how_many_and_by_what_but_not_for_whom(
    client: httpx.Client, database: Database
) -> None:
    known = headers(database)
    asked = {"patient_id": "SECRET-1", "issuer": "SECRET-2"}

    client.get("/v1/patients", params=asked, headers=known)
    client.get("/v1/patients", params={"limit": 5}, headers=known)
    client.get("/dicom-web/studies", params={"PatientName": "SECRET*"}, headers=known)
    client.get("/v1/patients/SECRET-3", params={"SECRET^Name": "1"}, headers=known)

    rows = audited(database)
    assert [(row.action, row.detail.get("count"), row.patients) for row in rows] == [
        ("search", 0, []),
        ("search", 1, [1]),
        ("search", 0, []),
        ("read", None, []),
    ]
    assert rows[0].detail["filters"] == ["issuer", "patient_id"]
    assert rows[2].detail["filters"] == ["PatientName"]
    assert rows[3].outcome == "refused"
    assert "SECRET" not in json.dumps([row.model_dump(mode="json") for row in rows])


def test_what_names_nobody_leaves_no_entry(client: httpx.Client, database: Database) -> None:
    known = headers(database, Role.ADMINISTRATOR)

    for path in ("/v1/models", "/v1/jobs", "/v1/changes", "/health/live", "/login", "/devices"):
        assert client.get(path, headers=known).status_code == 200

    assert audited(database) == []


def test_page_that_refreshes_itself_is_one_entry_for_a_while(
    locked: Settings, database: Database
) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1"))
    patient = locked.model_copy(update={"audit_repeat_seconds": 60.0})
    known, other = headers(database), headers(database, Role.VIEWER)
    with http_server(patient, database, Storage(patient.storage)) as url:
        for _ in range(3):
            httpx.get(f"{url}/", headers=known, timeout=60)
        httpx.get(f"{url}/", headers=other, timeout=60)

    assert [row.actor for row in audited(database)] == ["the clinician", "the viewer"]


def test_change_and_its_entry_are_one_transaction(client: httpx.Client, database: Database) -> None:
    known = headers(database)
    review = {"decision": "accept", "comment": "as expected"}

    answer = client.post("/v1/predictions/p1/review", json=review, headers=known)

    assert answer.status_code == 201
    [row] = audited(database)
    assert told(row) == ("the clinician", "change", "prediction", "p1", [1], "success")
    assert "expected" not in json.dumps(row.detail)


def test_change_whose_entry_cannot_be_written_does_not_happen(
    client: httpx.Client, database: Database
) -> None:
    known = headers(database)
    take_away(database)

    answer = client.post("/v1/predictions/p1/review", json={"decision": "accept"}, headers=known)

    assert answer.status_code >= 500
    with database.reading() as session:
        assert session.exec(select(ReviewRow)).all() == []


@pytest.mark.parametrize("path", ["/v1/predictions/p1", "/predictions/p1", "/dicom-web/studies"])
def test_nothing_is_served_whose_entry_cannot_be_written(
    client: httpx.Client, database: Database, path: str
) -> None:
    known = headers(database)
    take_away(database)

    answer = client.get(path, headers=known)

    assert answer.status_code >= 500
    assert "Sample" not in answer.text
    # As a word: what is random in a page may spell it.
    assert "p1" not in re.findall(r"[\w-]+", answer.text)


def take_away(database: Database) -> None:
    """Let no entry be written, as by a damaged table; everything else goes on."""
    with database.transaction() as session:
        session.execute(text("ALTER TABLE audit_waiting RENAME TO elsewhere"))


def test_refusals_are_recorded(client: httpx.Client, database: Database) -> None:
    known = headers(database, Role.VIEWER)

    client.post("/v1/predictions/p1/review", json={"decision": "accept"}, headers=known)
    client.get("/v1/predictions/nothing", headers=known)
    client.get("/v1/webhooks", headers=known)
    client.get("/v1/predictions/p1", headers={"X-API-Key": "wrong"})
    client.get("/v1/predictions/p1")

    rows = audited(database)
    assert [(row.actor, row.action, row.outcome, row.detail.get("status")) for row in rows] == [
        ("the viewer", "change", "refused", 403),
        ("the viewer", "read", "refused", 404),
        ("the viewer", "search", "refused", 403),
        ("unknown", "login_failed", "refused", 401),
    ]


def test_signing_in_and_out_are_recorded(client: httpx.Client, database: Database) -> None:
    key = headers(database)["X-API-Key"]

    sign_in(client, key="wrong")
    sign_in(client, key=key)
    post_form(client, "/logout")

    rows = audited(database)
    assert [(row.actor, row.action, row.outcome) for row in rows] == [
        ("unknown", "login_failed", "refused"),
        ("the clinician", "login", "success"),
        ("the clinician", "logout", "success"),
    ]
    assert key not in json.dumps([row.model_dump(mode="json") for row in rows])


def test_no_entry_holds_what_it_is_not_to_hold(client: httpx.Client, database: Database) -> None:
    known = headers(database)
    with database.reading() as session:
        assert session.exec(select(PredictionRow)).one()
    patient = client.get("/v1/patients", headers=known).json()["items"][0]
    client.get(f"/v1/patients/{patient['patient_id']}", headers=known)
    client.get(f"/v1/patients/{patient['patient_id']}/predictions", headers=known)
    client.get("/v1/predictions", params={"patient_id": patient["patient_id"]}, headers=known)

    rows = audited(database)

    written = json.dumps([row.model_dump(mode="json") for row in rows])
    assert [row.patients for row in rows] == [[1]] * 4
    assert isinstance(date.fromisoformat(patient["birth_date"]), date)
    for value in (patient["patient_id"], patient["name"], patient["birth_date"]):
        assert value not in written


def test_trail_is_for_administrators_and_looking_is_recorded(
    client: httpx.Client, database: Database
) -> None:
    clinician = headers(database)
    administrator = headers(database, Role.ADMINISTRATOR)
    client.get("/v1/predictions/p1", headers=clinician)
    audited(database)

    refused = [client.get(path, headers=clinician).status_code for path in ("/v1/audit", "/audit")]
    shown = client.get("/v1/audit", headers=administrator).json()["items"]
    page = client.get("/audit", headers={**administrator, "Accept": "text/html"})

    assert refused == [403, 403]
    assert [(row["actor"], row["action"], row["patients"]) for row in shown] == [
        ("the clinician", "read", [1])
    ]
    assert page.status_code == 200
    assert "the clinician" in page.text
    rows = audited(database)
    assert [(row.actor, row.action, row.outcome) for row in rows[1:]] == [
        ("the clinician", "audit", "refused"),
        ("the clinician", "audit", "refused"),
        ("the administrator", "audit", "success"),
        ("the administrator", "audit", "success"),
    ]


def test_trail_is_narrowed_and_paged(client: httpx.Client, database: Database) -> None:
    administrator = headers(database, Role.ADMINISTRATOR)
    for _ in range(3):
        client.get("/v1/predictions/p1", headers=administrator)
    client.get("/v1/patients", params={"patient_id": "nobody"}, headers=administrator)
    audited(database)

    def numbers(**asked: object) -> list[int]:
        answer = client.get("/v1/audit", params=asked, headers=administrator)
        assert answer.status_code == 200, answer.text
        return [row["number"] for row in answer.json()["items"]]

    first = client.get("/v1/audit", params={"limit": 3}, headers=administrator).json()
    assert [row["number"] for row in first["items"]] == [4, 3, 2]
    assert numbers(limit=3, cursor=first["next"]) == [1]
    assert numbers(patient_key=1) == [3, 2, 1]
    assert numbers(action="search", until="2999-01-01T00:00:00Z") == [4]
    assert numbers(actor="nobody") == []
    assert numbers(since="2999-01-01T00:00:00Z") == []
    patient = client.get("/v1/patients", headers=administrator).json()["items"][0]["patient_id"]
    assert numbers(patient_id=patient) == [3, 2, 1]
    wrong = client.get("/v1/audit", params={"actors": "x"}, headers=administrator)
    assert wrong.status_code == 422


def test_page_is_narrowed_by_its_form_and_escapes_what_strangers_wrote(
    client: httpx.Client, database: Database
) -> None:
    administrator = headers(database, Role.ADMINISTRATOR)
    with database.transaction() as session:
        append_audit(session, build_event(actor=Actor("<script>alert(1)</script>"), patients=(7,)))
    audited(database)

    empty = {"patient": "", "actor": "", "action": "", "since": "", "until": ""}
    every = client.get("/audit", params=empty, headers=administrator)
    other = client.get("/audit", params={**empty, "patient": "8"}, headers=administrator)
    today = client.get("/audit", params={**empty, "since": "2999-01-01"}, headers=administrator)
    wrong = client.get("/audit", params={"action": "steal"}, headers=administrator)

    assert "&lt;script&gt;alert(1)" in every.text
    assert "<script>alert" not in every.text
    assert "There is no such entry." in other.text
    assert "There is no such entry." in today.text
    assert wrong.status_code == 422


def test_measured_field_is_a_patients(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        measured = MeasuredFieldRow(
            patient_key=1,
            source="csv",
            source_key="1",
            laterality="R",
            pattern="24-2",
            recorded_at=utc_now(),
            points=[],
            reliability=dict.fromkeys(
                (
                    "fixation_checks",
                    "fixation_losses",
                    "false_positive_percent",
                    "false_negative_percent",
                    "test_duration_seconds",
                )
            ),
        )
        session.add(measured)
        session.flush()
        path = f"/v1/measured-fields/{measured.id}"

    known = headers(database)
    assert client.get(path, headers=known).status_code == 200
    assert client.get("/v1/measured-fields/99", headers=known).status_code == 404

    assert [told(row)[1:] for row in audited(database)] == [
        ("read", "measured-field", "1", [1], "success"),
        ("read", "measured-field", "", [], "refused"),
    ]


_FILLED = {
    "prediction_id": "p1",
    "study_uid": "STUDY",
    "study": "STUDY",
    "patient_id": "P-0001",
    "key": "1",
    "eye": "R",
    "laterality": "R",
}


def filled(path: str, uid: str) -> str:
    """Return a path with what the archive of these tests holds."""

    def value(found: re.Match[str]) -> str:
        return _FILLED.get(found[1].partition(":")[0], "1").replace("STUDY", uid)

    return re.sub(r"\{([^}]+)\}", value, path)


def served_paths(locked: Settings, database: Database) -> list[str]:
    app = create_app(locked, database, Storage(locked.storage))
    described = [path for path, methods in app.openapi()["paths"].items() if "get" in methods]
    pages = [
        route.path
        for router in PAGES
        for route in router.routes
        if isinstance(route, APIRoute) and "GET" in (route.methods or ())
    ]
    return [path for path in (*described, *pages) if "/events" not in path]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_whatever_shows_a_patient_leaves_an_entry_that_names_them(
    client: httpx.Client, locked: Settings, database: Database
) -> None:
    """Every route there is, so that a new one that forgets to say so is found."""
    every = (Role.ADMINISTRATOR, Role.RESEARCHER)
    with database.transaction() as session:
        known = {"X-API-Key": create_key(session, "auditor", *every)}
    uid, last = study_uid(database), 0
    showing, unrecorded = [], []
    for path in served_paths(locked, database):
        try:
            answer = client.get(filled(path, uid), headers=known)
        except httpx.RemoteProtocolError:
            # An object whose file these tests do not have.
            continue
        rows = audited(database, after=last)
        last += len(rows)
        shows = answer.is_success and any(
            told in answer.content
            for told in (b"P-0001", b"Sample^Eye", b"Sample, Eye", b"Sample Eye")
        )
        if shows:
            showing.append(path)
            if not any(1 in row.patients for row in rows):
                unrecorded.append(path)

    assert len(showing) > 12
    assert unrecorded == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["/", "/live", "/patients"])
def test_form_that_searches_is_a_search(
    client: httpx.Client, database: Database, path: str
) -> None:
    known = {**headers(database), "Origin": str(client.base_url).rstrip("/")}

    answer = client.post(path, data={"name": "Sample"}, headers=known)

    assert answer.status_code in {200, 422}, answer.text
    rows = audited(database)
    if answer.status_code == 200:
        assert [(row.action, row.outcome) for row in rows] == [("search", "success")]
