"""The Watson-compatible API asked over HTTP, without a process that scores."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from api.ibm.identifiers import SPACE_ID, Mode, deployment_id
from core.database import Database
from core.keys import Role, create_key, revoke_key
from core.model_choice import KnownModel
from core.models import register_models
from core.settings import Settings
from core.tables.audit_entries import WaitingAuditRow
from core.tables.deployment_jobs import DeploymentJobRow
from core.tables.jobs import JobRow
from core.values.prediction import ModelIdentity
from dicom_node.storage.bytes import Storage
from inference.model_store import ModelStore
from inference.told_card import told_card
from tests.fixtures.http_server import http_server

_UNKNOWN = "00000000-0000-0000-0000-000000000000"
_JOB = {"scoring": {"input_data": [{"values": [[1.0]]}]}}


@pytest.fixture
def locked(settings: Settings) -> Settings:
    return settings.model_copy(update={"auth": "keys", "requests_per_minute": 0})


@pytest.fixture
def model(database: Database) -> ModelIdentity:
    card = ModelStore().load_card("retinervenet", "2.1.0")
    with database.transaction() as session:
        register_models(session, [KnownModel(card.identity, card.kind, card=told_card(card))])
    return card.identity


@pytest.fixture
def client(locked: Settings, database: Database, model: ModelIdentity) -> Iterator[httpx.Client]:
    with (
        http_server(locked, database, Storage(locked.storage)) as url,
        httpx.Client(timeout=60, base_url=url) as opened,
    ):
        yield opened


@pytest.fixture
def clinician(client: httpx.Client, database: Database) -> httpx.Client:
    return sign_in(client, make_key(database, Role.CLINICIAN))


def make_key(database: Database, role: Role) -> str:
    with database.transaction() as session:
        return create_key(session, role, role)


def sign_in(client: httpx.Client, key: str) -> httpx.Client:
    answer = client.post("/icp4d-api/v1/authorize", json={"username": "ada", "api_key": key})
    assert answer.status_code == 200, answer.text
    client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    return client


def told(answer: httpx.Response, status: int) -> str:
    """Check the form of an error, and return its message."""
    body = answer.json()
    assert (answer.status_code, body["status_code"]) == (status, status), answer.text
    assert len(body["trace"]) == 32
    [error] = body["errors"]
    assert set(error) == {"code", "message"}
    return str(error["message"])


def give(client: httpx.Client, model: ModelIdentity, **changed: Any) -> httpx.Response:
    batch = {"deployment": {"id": deployment_id(model, Mode.BATCH)}}
    return client.post("/ml/v4/deployment_jobs", json={**_JOB, **batch, **changed})


def test_every_way_in_gives_a_token_that_opens(client: httpx.Client, database: Database) -> None:
    key = make_key(database, Role.CLINICIAN)
    form = {"grant_type": "password", "username": "ada", "password": key, "scope": "openid"}
    identity = client.post("/idprovider/v1/auth/identitytoken", data=form).json()
    headers = {"username": "ada", "iam-token": identity["access_token"]}
    validated = client.get("/v1/preauth/validateAuth", headers=headers).json()
    by_password = client.post("/icp4d-api/v1/authorize", json={"username": "a", "password": key})
    authorized = by_password.json()

    assert identity["expires_in"] > 50 * 60
    assert (authorized["_messageCode_"], authorized["message"]) == ("200", "Success")
    assert authorized["token"] == authorized["accessToken"]
    for token in (validated["accessToken"], authorized["token"]):
        answer = client.get("/v2/spaces", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200


def test_wrong_keys_and_tokens_are_refused(client: httpx.Client, database: Database) -> None:
    body = {"username": "ada", "api_key": "arcuate_wrong"}
    assert "not valid" in told(client.post("/icp4d-api/v1/authorize", json=body), 401)
    form = {"username": "ada", "password": ""}
    told(client.post("/idprovider/v1/auth/identitytoken", data=form), 401)
    headers = {"username": "ada", "iam-token": "a.b.c"}
    told(client.get("/v1/preauth/validateAuth", headers=headers), 401)
    told(client.get("/v2/spaces"), 401)
    sign_in(client, make_key(database, Role.CLINICIAN))
    client.headers["Authorization"] += "x"
    assert "signature" in told(client.get("/v2/spaces"), 401)


def test_a_token_ends_with_its_key(clinician: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        revoke_key(session, Role.CLINICIAN)

    assert "revoked" in told(clinician.get("/v2/spaces"), 401)


def test_a_viewer_looks_and_does_not_score(
    client: httpx.Client, database: Database, model: ModelIdentity
) -> None:
    sign_in(client, make_key(database, Role.VIEWER))

    assert client.get("/ml/v4/deployments").status_code == 200
    assert "role" in told(give(client, model), 403)


def test_what_there_is_is_found(clinician: httpx.Client, model: ModelIdentity) -> None:
    assert clinician.get("/ml/wml_services/v2/version").json() == {"version": "5.0.0"}
    [space] = clinician.get("/v2/spaces").json()["resources"]
    assert clinician.get(f"/v2/spaces/{space['metadata']['id']}").json() == space
    specs = clinician.get("/v2/hardware_specifications").json()
    assert specs["total_results"] == 6
    online, batch = clinician.get("/ml/v4/deployments").json()["resources"]
    assert online["metadata"]["id"] == deployment_id(model, Mode.ONLINE)
    assert online["entity"]["status"]["online_url"]["url"].endswith("/predictions")
    assert "batch" in batch["entity"]
    asset = clinician.get(f"/v2/assets/{online['entity']['asset']['id']}").json()
    assert (asset["href"], asset["metadata"]["usage"]) == (
        f"/v2/assets/{asset['metadata']['asset_id']}",
        {},
    )
    assert "do" not in asset["entity"]["wml_model"]["type"]
    for found in (space["metadata"]["id"], online["metadata"]["id"], batch["metadata"]["id"]):
        assert len(found) == 36


def test_a_deployment_that_is_there_already_is_answered(
    clinician: httpx.Client, model: ModelIdentity
) -> None:
    online, batch = clinician.get("/ml/v4/deployments").json()["resources"]
    asset = {"asset": online["entity"]["asset"], "name": "mine"}
    made = clinician.post("/ml/v4/deployments", json={**asset, "batch": {}})
    other = clinician.post("/ml/v4/deployments", json={"asset": {"id": _UNKNOWN}, "online": {}})
    named = {"serving_name": model.name, "conflict": "true"}
    free = clinician.get("/ml/v4/deployments", params={**named, "serving_name": "free"})

    assert (made.status_code, made.json()["metadata"]["id"]) == (202, batch["metadata"]["id"])
    told(other, 404)
    assert free.status_code == 204
    told(clinician.get("/ml/v4/deployments", params=named), 409)
    told(clinician.delete(f"/ml/v4/deployments/{online['metadata']['id']}"), 405)


def test_what_is_unknown_is_said_in_the_form_of_that_api(clinician: httpx.Client) -> None:
    for path in (
        f"/v2/spaces/{_UNKNOWN}",
        f"/v2/assets/{_UNKNOWN}",
        f"/v2/hardware_specifications/{_UNKNOWN}",
        "/v2/hardware_specifications?name=XXXL&version=2026-01-01",
        f"/ml/v4/deployments/{_UNKNOWN}",
        f"/ml/v4/deployments?space_id={_UNKNOWN}",
        f"/ml/v4/deployment_jobs/{_UNKNOWN}",
        "/ml/v4/models",
        "/ml/v1/foundation_model_specs?limit=1",
    ):
        told(clinician.get(path), 404)
    told(clinician.get("/ml/v4/deployments?limit=0"), 400)


def test_a_body_that_is_wrong_is_refused(clinician: httpx.Client, model: ModelIdentity) -> None:
    path = f"/ml/v4/deployments/{deployment_id(model, Mode.ONLINE)}/predictions"
    for body, status, message in (
        (b"{", 400, "not JSON: Expecting"),
        (b"[]", 400, "must be a JSON object"),
        (b"\xff", 400, "not UTF-8"),
        (b'{"input_data": [{"values": [[NaN]]}]}', 400, "NaN, which is no number of JSON"),
        (b"[" * 100_000, 400, "nested too deeply"),
        (b"{}", 400, "needs `input_data`"),
        (b'{"input_data": [{"values": [[1, 2]]}]}', 400, "has 2 numbers"),
        (b'{"input_data": [{"values": [[%s null]]}]}' % (b"1," * 768), 400, "missing (null"),
        (b"x" * (17 << 20), 413, "at most"),
    ):
        assert message in told(clinician.post(path, content=body), status)


def test_a_job_waits_is_listed_cancelled_and_removed(
    clinician: httpx.Client, model: ModelIdentity, database: Database
) -> None:
    made = [give(clinician, model, name=f"job {n}", space_id=SPACE_ID) for n in range(3)]
    jobs = [answer.json()["metadata"]["id"] for answer in made]
    page = clinician.get("/ml/v4/deployment_jobs", params={"limit": 2}).json()
    rest = clinician.get(page["next"]["href"]).json()
    path = f"/ml/v4/deployment_jobs/{jobs[0]}"
    whole = clinician.get(path).json()
    status_only = clinician.get(path, params={"include": "status"}).json()

    assert [answer.status_code for answer in made] == [202, 202, 202]
    assert whole["entity"]["scoring"] == {**_JOB["scoring"], "status": {"state": "queued"}}
    assert whole["metadata"]["guid"] == whole["metadata"]["id"]
    assert status_only["entity"]["scoring"] == {"status": {"state": "queued"}}
    assert (page["total_count"], page["limit"], len(page["resources"])) == (3, 2, 2)
    assert [found["metadata"]["id"] for found in rest["resources"]] == [jobs[0]]
    assert clinician.delete(path).status_code == 204
    state = clinician.get(path).json()["entity"]["scoring"]["status"]["state"]
    assert state == "canceled"
    assert clinician.delete(path, params={"hard_delete": "true"}).content == b""
    told(clinician.get(path), 404)
    with database.reading() as session:
        assert set(session.exec(select(JobRow.subject))) == set(jobs[1:])


def test_a_job_that_cannot_be_meant_is_refused(
    clinician: httpx.Client, model: ModelIdentity
) -> None:
    elsewhere = {"input_data_references": [{"type": "data_asset", "location": {}}]}
    for changed, status in (
        ({"deployment": {"id": _UNKNOWN}}, 404),
        ({"deployment": None}, 404),
        ({"hardware_spec": {"name": "XXXL"}}, 404),
        ({"hardware_spec": {"id": _UNKNOWN}}, 404),
        ({"hybrid_pipeline_hardware_specs": [{"hardware_spec": {"name": "XXXL"}}]}, 404),
        ({"space_id": _UNKNOWN}, 404),
        ({"scoring": {}}, 400),
        ({"scoring": elsewhere}, 400),
        ({"deployment": {"id": deployment_id(model, Mode.ONLINE)}}, 400),
    ):
        told(give(clinician, model, **changed), status)


def test_a_full_queue_says_so(
    clinician: httpx.Client, model: ModelIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.deployment_jobs.MOST_WAITING", 0)

    assert "Too many jobs" in told(give(clinician, model), 429)


def test_a_job_about_stored_studies_is_for_those_who_see_patients(
    client: httpx.Client, database: Database, model: ModelIdentity
) -> None:
    reference = {"type": "dicom", "location": {"study_uid": "1.2.3.4"}}
    job = {"scoring": {"input_data_references": [reference]}}
    sign_in(client, make_key(database, Role.CLINICIAN))
    path = f"/ml/v4/deployment_jobs/{give(client, model, **job).json()['metadata']['id']}"
    assert client.get(path).status_code == 200
    sign_in(client, make_key(database, Role.RESEARCHER))

    told(give(client, model, **job), 403)
    told(client.get(path), 404)
    assert client.get("/ml/v4/deployment_jobs").json()["resources"] == []


@pytest.mark.parametrize(
    "scoring",
    [
        {"input_data": [{"fields": ["patient_id", "age"], "values": [["4711", 61]]}]},
        {"input_data": [{"fields": ["4711^Doe", "age"], "values": [[[1.0], 61]]}]},
        {"input_data": [{"fields": {"Doe": 1}, "values": [[1.0]]}]},
        {"input_data": [{"values": [["Doe", 1.0]]}]},
        {"input_data": [{"values": [[1.0, {"name": "Doe"}]]}]},
        {"input_data": [{"values": [[1.0]], "patient": "Doe"}]},
        {"input_data": [{"values": [[1.0]], "id": "Doe"}]},
        {"input_data": [{"values": [[1.0]]}], "patient": "Doe"},
        {"input_data": "Doe"},
    ],
)
def test_a_job_that_may_name_somebody_is_not_kept(
    clinician: httpx.Client, model: ModelIdentity, database: Database, scoring: Any
) -> None:
    assert "Doe" not in told(give(clinician, model, scoring=scoring), 400)
    with database.reading() as session:
        assert session.exec(select(DeploymentJobRow)).all() == []


def test_a_number_that_is_too_large_for_json_is_refused(
    clinician: httpx.Client, model: ModelIdentity
) -> None:
    batch = deployment_id(model, Mode.BATCH)
    reference = '{"type": "dicom", "location": {"study_uid": "1", "x": 1e999}}'
    for scoring in (
        '{"input_data": [{"values": [[1e999]]}]}',
        f'{{"input_data_references": [{reference}]}}',
    ):
        body = f'{{"deployment": {{"id": "{batch}"}}, "scoring": {scoring}}}'
        assert "too large" in told(clinician.post("/ml/v4/deployment_jobs", content=body), 400)
    assert clinician.get("/ml/v4/deployment_jobs").json()["resources"] == []


def test_frames_of_numbered_and_of_known_columns_are_kept(
    clinician: httpx.Client, model: ModelIdentity
) -> None:
    for fields in (None, [0, 1], ["1", "2"], ["profile", "age"], ["p000", "age_years"]):
        entry = {"fields": fields, "values": [[1.0, None]]}
        assert give(clinician, model, scoring={"input_data": [entry]}).status_code == 202


def test_a_researcher_sees_what_they_gave_and_of_others_jobs_only_how_they_stand(
    client: httpx.Client, database: Database, model: ModelIdentity
) -> None:
    sign_in(client, make_key(database, Role.CLINICIAN))
    others = give(client, model, name="Doe, Jane").json()["metadata"]["id"]
    sign_in(client, make_key(database, Role.RESEARCHER))
    own = give(client, model, name="cohort").json()["metadata"]["id"]
    jobs = "/ml/v4/deployment_jobs"

    listed = client.get(jobs).json()["resources"]
    assert [one["metadata"]["name"] for one in listed] == ["cohort", ""]
    shown, theirs = (client.get(f"{jobs}/{job}").json() for job in (own, others))
    assert shown["entity"]["scoring"] == {**_JOB["scoring"], "status": {"state": "queued"}}
    assert theirs["entity"]["scoring"] == {"status": {"state": "queued"}}
    assert theirs["metadata"]["name"] == ""


def test_a_job_is_removed_by_its_giver_and_by_who_operates_the_node(
    client: httpx.Client, database: Database, model: ModelIdentity
) -> None:
    sign_in(client, make_key(database, Role.CLINICIAN))
    first, second = (give(client, model).json()["metadata"]["id"] for _ in range(2))
    sign_in(client, make_key(database, Role.RESEARCHER))
    path = "/ml/v4/deployment_jobs/{}".format

    for parameters in ({}, {"hard_delete": "true"}):
        assert "role" in told(client.delete(path(first), params=parameters), 403)
    sign_in(client, make_key(database, Role.OPERATOR))
    assert client.delete(path(first)).status_code == 204
    sign_in(client, make_key(database, Role.ADMINISTRATOR))
    assert client.delete(path(second), params={"hard_delete": "true"}).status_code == 204


def test_tokens_and_jobs_are_in_the_audit_trail(
    clinician: httpx.Client, model: ModelIdentity, database: Database
) -> None:
    job_id = give(clinician, model).json()["metadata"]["id"]
    client = httpx.Client(base_url=clinician.base_url, timeout=60)
    client.post("/icp4d-api/v1/authorize", json={"api_key": "arcuate_wrong"})
    client.close()
    with database.reading() as session:
        rows = session.exec(select(WaitingAuditRow).order_by(col(WaitingAuditRow.id))).all()

    assert [(row.action, row.actor, row.outcome, row.object_id) for row in rows] == [
        ("login", "clinician", "success", ""),
        ("create", "clinician", "success", job_id),
        ("login_failed", "unknown", "refused", ""),
    ]
