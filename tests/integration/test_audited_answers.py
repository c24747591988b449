"""Entries of answers that go on, and of those that show nothing."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse

from api.auditing.middleware import Audited
from core.audit.recording import MOST_PATIENTS
from core.audit.trail import note_actor, note_patients
from core.database import Database
from core.settings import Settings
from tests.fixtures.audit_trail import audited
from tests.fixtures.http_server import serving


def _rows() -> Iterator[str]:
    for first in (1, 1 + MOST_PATIENTS):
        note_patients(range(first, first + MOST_PATIENTS))
        yield "row"
    yield "the same patients again"


def _table() -> StreamingResponse:
    note_actor("clinic", "viewer")
    return StreamingResponse(_rows())


def _away() -> PlainTextResponse:
    note_patients([1])
    return PlainTextResponse("away", 503)


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    app = FastAPI()
    app.add_api_route("/v1/table", _table)
    app.add_api_route("/v1/away", _away)
    app.add_middleware(Audited, database=database, repeat_seconds=0.0)
    with serving(app, settings) as url, httpx.Client(base_url=url, timeout=60) as opened:
        yield opened


def test_every_patient_of_a_long_answer_is_named_once(
    client: httpx.Client, database: Database
) -> None:
    assert client.get("/v1/table").status_code == 200

    rows = audited(database)
    named = [key for row in rows for key in row.patients]
    assert named == list(range(1, 1 + 2 * MOST_PATIENTS))
    assert {row.outcome for row in rows} == {"success"}
    assert {row.actor for row in rows} == {"clinic"}


def test_answer_that_shows_nothing_is_not_told_as_a_look(
    client: httpx.Client, database: Database
) -> None:
    assert client.get("/v1/away").status_code == 503

    assert audited(database) == []
