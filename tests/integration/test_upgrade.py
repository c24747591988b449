"""What the first version recorded is there after the upgrade, for programs and for people."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from core.database import Database
from core.ledger import enqueue
from core.migrations.schema import migrate, schema_is_current, schema_revision
from core.settings import Settings
from core.tables.jobs import JobKind
from dicom_node.storage.bytes import Storage
from tests.fixtures.first_version import _DUMP, SCHEMA, load_first_version
from tests.fixtures.http_server import http_server

#: What people open; lists, and what is said of one result.
_PAGES = ("/", "/patients", "/jobs", "/devices", "/models", "/quarantine", "/deliveries")


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    load_first_version(database)
    assert schema_revision(database) == SCHEMA
    migrate(database)
    storage = Storage(settings.storage)
    storage.prepare()
    with (
        http_server(settings, database, storage) as url,
        httpx.Client(base_url=url, timeout=60, follow_redirects=True) as opened,
    ):
        yield opened


def _recorded() -> dict[str, list[tuple[Any, ...]]]:
    """Return identifier, status and eye of each result, and how many changes, as they were."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(_DUMP.read_text("utf-8"))
    results = connection.execute("SELECT id, status, laterality FROM predictions ORDER BY id")
    changes = connection.execute("SELECT number, kind, subject FROM changes ORDER BY number")
    found = {"results": results.fetchall(), "changes": changes.fetchall()}
    connection.close()
    return found


def test_results_of_the_first_version_are_answered_and_shown(
    client: httpx.Client, database: Database
) -> None:
    recorded = _recorded()
    assert schema_is_current(database)

    results = client.get("/v1/predictions").raise_for_status().json()["items"]
    studies = client.get("/v1/studies").raise_for_status().json()["items"]
    changes = client.get("/v1/changes", params={"after": 0}).raise_for_status().json()["items"]
    pages = {path: client.get(path, headers={"Accept": "text/html"}) for path in _PAGES}
    shown = {
        result["id"]: client.get(result["links"]["page"], headers={"Accept": "text/html"})
        for result in results
    }

    told = [(r["id"], r["status"], r["laterality"]) for r in results]
    assert sorted(told) == recorded["results"]
    assert all(len(r["sensitivities"]) == 52 for r in results if r["status"] == "final")
    assert {study["study_instance_uid"] for study in studies} == {
        result["study_instance_uid"] for result in results
    }
    feed = [(change["number"], change["kind"], change["subject"]) for change in changes]
    assert feed[: len(recorded["changes"])] == recorded["changes"]
    assert {path: page.status_code for path, page in pages.items()} == dict.fromkeys(_PAGES, 200)
    assert {page.status_code for page in shown.values()} == {200}
    for result in results:
        assert result["patient"]["patient_id"] in shown[result["id"]].text
    # New work is numbered after the old.
    with database.transaction() as session:
        enqueue(session, JobKind.ECHO, "DEVICE1")
    assert client.get("/v1/jobs").raise_for_status().json()["items"][0]["kind"] == "echo"
