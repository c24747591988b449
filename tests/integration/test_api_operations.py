"""What operators do over HTTP: peers, callers, jobs and what lies in quarantine."""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import httpx
import pytest

from core.clock import utc_now
from core.database import Database
from core.keys import Role, create_key
from core.ledger import enqueue
from core.settings import Settings
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.peers import PeerRow, RefusedCallerRow
from core.tables.quarantine import QuarantineRow
from dicom_node.storage.archive import open_archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.digest_key import digest_key
from tests.builders.archive import keep_prediction
from tests.builders.prediction import build_prediction
from tests.fixtures.audit_trail import audited, told
from tests.fixtures.http_server import http_server

_AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
_PEER = {"ae_title": "OCT1", "host": "192.0.2.7"}
_CALLER = {"calling_ae_title": "OCT2", "address": "192.0.2.9"}


@pytest.fixture
def url(settings: Settings, database: Database) -> Iterator[str]:
    locked = settings.model_copy(update={"auth": "keys"})
    with http_server(locked, database, Storage(settings.storage)) as served:
        yield served


@pytest.fixture
def clients(url: str, database: Database) -> Iterator[dict[Role, httpx.Client]]:
    roles = (Role.VIEWER, Role.CLINICIAN, Role.OPERATOR, Role.ADMINISTRATOR)
    with database.transaction() as session:
        keys = {role: create_key(session, role, role) for role in roles}
    opened = {
        role: httpx.Client(timeout=60, base_url=url, headers={"X-API-Key": key})
        for role, key in keys.items()
    }
    yield opened
    for client in opened.values():
        client.close()


def _refuse(database: Database) -> None:
    with database.transaction() as session:
        row = RefusedCallerRow(
            **_CALLER,
            called_ae_title="ARCUATE",
            reason="calling_ae_title_not_recognised",
            first_seen_at=_AT,
            last_seen_at=_AT,
        )
        session.add(row)


def _keep_aside(settings: Settings, database: Database, content: bytes = b"odd") -> int:
    digest = sha256(content).hexdigest()
    if content:
        archive = open_archive(settings, database, Storage(settings.storage))
        archive.quarantine.put(digest_key(digest), content)
    with database.transaction() as session:
        row = QuarantineRow(
            code="invalid_instance",
            message="No study",
            storage_key=digest_key(digest),
            size_bytes=len(content),
            digest=digest,
            received_at=_AT,
        )
        session.add(row)
        session.flush()
        assert row.id is not None
        return row.id


def _fail_job(database: Database) -> int:
    with database.transaction() as session:
        enqueue(session, JobKind.REPORT, "p1")
        session.flush()
        job = session.get_one(JobRow, 1)
        job.status, job.error, job.attempts = JobStatus.FAILED, "The disk was full", 5
        return 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/peers", _PEER),
        ("DELETE", "/v1/peers/OCT1", None),
        ("POST", "/v1/peers/OCT1/echo", None),
        ("POST", "/v1/callers/allow", _CALLER),
        ("POST", "/v1/jobs/1/retry", None),
        ("GET", "/v1/quarantine/1/object", None),
        ("POST", "/v1/quarantine/1/dismiss", None),
    ],
)
def test_only_operators_change_anything(
    clients: dict[Role, httpx.Client], method: str, path: str, body: dict[str, Any] | None
) -> None:
    for role, client in clients.items():
        answer = client.request(method, path, json=body)

        is_operator = role in {Role.OPERATOR, Role.ADMINISTRATOR}
        assert (answer.status_code == 403) is not is_operator


def test_peer_is_added_changed_and_removed(
    clients: dict[Role, httpx.Client], database: Database
) -> None:
    client = clients[Role.OPERATOR]
    added = client.post(
        "/v1/peers", json={**_PEER, "expect_every": "24h", "expect_days": "mon-fri"}
    )
    changed = client.post("/v1/peers", json={**_PEER, "host": "192.0.2.0/24", "port": 104})

    assert (added.status_code, changed.status_code) == (201, 201)
    assert added.json()["expect_every_seconds"] == 86400
    assert (changed.json()["host"], changed.json()["port"]) == ("192.0.2.0/24", 104)
    # What was not named stays as it was.
    assert changed.json()["expect_days"] == "mon-fri"
    [listed] = client.get("/v1/peers").json()["items"]
    assert listed == changed.json()
    assert client.delete("/v1/peers/OCT1").status_code == 204
    assert client.delete("/v1/peers/OCT1").status_code == 404
    assert client.get("/v1/peers").json()["items"] == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"ae_title": "A" * 17}, "peer-invalid"),
        ({"ae_title": ""}, "peer-invalid"),
        ({"host": "not an address"}, "peer-invalid"),
        ({"port": 70000}, "peer-invalid"),
        ({"expect_every": "soon"}, "rhythm-invalid"),
        ({"unknown": 1}, "invalid-parameter"),
    ],
)
def test_malformed_peer_is_refused_with_its_fault(
    clients: dict[Role, httpx.Client], fault: dict[str, Any], kind: str
) -> None:
    answer = clients[Role.OPERATOR].post("/v1/peers", json={**_PEER, **fault})

    assert answer.status_code == 422
    assert answer.json()["type"] == f"urn:arcuate:problem:{kind}"
    assert clients[Role.OPERATOR].get("/v1/peers").json()["items"] == []


def test_echo_is_a_job_and_its_answer_is_told_with_the_peer(
    clients: dict[Role, httpx.Client], database: Database
) -> None:
    client = clients[Role.OPERATOR]
    # An AE title may hold a slash.
    client.post("/v1/peers", json={"ae_title": "A/B", "host": "192.0.2.7", "port": 104})

    answer = client.post("/v1/peers/A/B/echo")

    assert (answer.status_code, answer.json()["finished_at"]) == (202, None)
    [peer] = client.get("/v1/peers").json()["items"]
    assert peer["echo"] == answer.json()
    assert peer["echo"]["asked_by"] == "operator"
    [job] = client.get("/v1/jobs", params={"kind": "echo"}).json()["items"]
    assert (job["subject"], job["status"]) == ("A/B", "queued")
    assert client.post("/v1/peers/NOBODY/echo").status_code == 404


def test_refused_caller_is_allowed(clients: dict[Role, httpx.Client], database: Database) -> None:
    client = clients[Role.ADMINISTRATOR]
    assert client.post("/v1/callers/allow", json=_CALLER).status_code == 404
    _refuse(database)

    answer = client.post("/v1/callers/allow", json=_CALLER)

    assert (answer.status_code, answer.json()["host"]) == (201, "192.0.2.9")
    with database.reading() as session:
        assert session.get_one(PeerRow, "OCT2").host == "192.0.2.9"


def test_peer_that_is_known_elsewhere_is_moved_when_said(
    clients: dict[Role, httpx.Client], database: Database
) -> None:
    client = clients[Role.OPERATOR]
    client.post("/v1/peers", json={"ae_title": "OCT2", "host": "192.0.2.1"})
    _refuse(database)

    conflict = client.post("/v1/callers/allow", json=_CALLER)
    moved = client.post("/v1/callers/allow", json={**_CALLER, "moved": True})

    assert conflict.status_code == 409
    assert conflict.json()["type"] == "urn:arcuate:problem:peer-elsewhere"
    assert moved.json()["host"] == "192.0.2.9"


def test_failed_job_is_tried_again_once(
    clients: dict[Role, httpx.Client], database: Database
) -> None:
    client, job_id = clients[Role.OPERATOR], _fail_job(database)
    assert client.get(f"/v1/jobs/{job_id}").json()["error"] == "The disk was full"

    first, second = (client.post(f"/v1/jobs/{job_id}/retry") for _ in range(2))

    assert (first.status_code, first.json()["status"], first.json()["attempts"]) == (
        200,
        "queued",
        0,
    )
    assert (second.status_code, second.json()["type"]) == (
        409,
        "urn:arcuate:problem:job-not-failed",
    )
    assert client.post("/v1/jobs/99/retry").status_code == 404
    assert client.get("/v1/jobs/99").status_code == 404


def test_object_in_quarantine_is_downloaded_as_it_came(
    clients: dict[Role, httpx.Client], settings: Settings, database: Database
) -> None:
    key = _keep_aside(settings, database, b"<script>odd</script>" * 1000)

    answer = clients[Role.OPERATOR].get(f"/v1/quarantine/{key}/object")

    assert answer.content == b"<script>odd</script>" * 1000
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == f'attachment; filename="quarantine-{key}.dcm"'
    assert clients[Role.VIEWER].get(f"/v1/quarantine/{key}").json()["id"] == key


def test_download_from_quarantine_is_in_the_audit_trail(
    clients: dict[Role, httpx.Client], settings: Settings, database: Database
) -> None:
    prediction = build_prediction()
    key = _keep_aside(settings, database)
    with database.transaction() as session:
        keep_prediction(session, prediction)
        row = session.get_one(QuarantineRow, key)
        row.sop_instance_uid = prediction.source.sop_instance_uid
    operator = clients[Role.OPERATOR]

    assert operator.get(f"/v1/quarantine/{key}/object").content == b"odd"

    [entry] = [row for row in audited(database) if row.object_kind == "quarantine"]
    assert told(entry)[1:] == ("export", "quarantine", str(key), [1], "success")
    assert entry.actor_role == "operator"


def test_object_without_bytes_cannot_be_downloaded(
    clients: dict[Role, httpx.Client], settings: Settings, database: Database
) -> None:
    key = _keep_aside(settings, database, b"")

    answer = clients[Role.OPERATOR].get(f"/v1/quarantine/{key}/object")

    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:arcuate:problem:bytes-not-kept",
    )
    assert clients[Role.OPERATOR].get("/v1/quarantine/99/object").status_code == 404


def test_dismissed_object_is_told_so_and_left_out_when_asked(
    clients: dict[Role, httpx.Client], settings: Settings, database: Database
) -> None:
    client = clients[Role.OPERATOR]
    done, other = (_keep_aside(settings, database, content) for content in (b"a", b"b"))
    before = utc_now()

    answer = client.post(f"/v1/quarantine/{done}/dismiss").json()

    assert (answer["dismissed_by"], datetime.fromisoformat(answer["dismissed_at"]) >= before) == (
        "operator",
        True,
    )
    for wanted, ids in ((None, [other, done]), (False, [other]), (True, [done])):
        parameters = {} if wanted is None else {"dismissed": wanted}
        items = client.get("/v1/quarantine", params=parameters).json()["items"]
        assert [item["id"] for item in items] == ids
    # The bytes lie there all the same.
    assert client.get(f"/v1/quarantine/{done}/object").content == b"a"
