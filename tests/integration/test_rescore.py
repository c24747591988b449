"""Scoring again, as operators ask for it: over HTTP and at a terminal, by a real model."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlmodel import select

from core.database import Database
from core.keys import Role, create_key
from core.model_choice import KnownModel
from core.models import register_models
from core.settings import Settings
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.models import ModelRow, ModelState
from core.values.identity import InstanceIdentity
from core.values.prediction import ModelIdentity
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_prediction
from tests.builders.prediction import build_prediction
from tests.fixtures.http_server import http_server

STUDY, OTHER = "1.2.826.1", "1.2.826.2"
NEWER = ModelIdentity("phantom", "2.0.0", "sha256:newer")
RETIRED = ModelIdentity("phantom", "1.0.0", "sha256:retired")


@pytest.fixture
def clients(settings: Settings, database: Database) -> Iterator[dict[Role, httpx.Client]]:
    with database.transaction() as session:
        for study in (STUDY, OTHER):
            source = InstanceIdentity(study, f"{study}.1", f"{study}.1.1")
            keep_prediction(session, build_prediction(prediction_id=study, source=source))
        register_models(session, [KnownModel(model, "profile") for model in (NEWER, RETIRED)])
        keys = {role: create_key(session, role, role) for role in (Role.VIEWER, Role.OPERATOR)}
    locked = settings.model_copy(update={"auth": "keys"})
    with http_server(locked, database, Storage(settings.storage)) as url:
        opened = {
            role: httpx.Client(timeout=60, base_url=url, headers={"X-API-Key": key})
            for role, key in keys.items()
        }
        yield opened
        for client in opened.values():
            client.close()


def ask(client: httpx.Client, study: str = STUDY, **order: Any) -> httpx.Response:
    return client.post(f"/v1/studies/{study}/rescore", json=order)


def rescore_jobs(database: Database) -> list[JobRow]:
    with database.reading() as session:
        return list(session.exec(select(JobRow).where(JobRow.kind == JobKind.RESCORE)).all())


def test_study_is_enqueued_once_behind_what_comes_in(
    clients: dict[Role, httpx.Client], database: Database
) -> None:
    first = ask(clients[Role.OPERATOR], model="phantom:2.0.0")
    second = ask(clients[Role.OPERATOR], model="phantom:2.0.0")

    told = {"name": "phantom", "version": "2.0.0", "digest": "sha256:newer"}
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == {"model": told, "shadow": False, "jobs": 1, "waiting": 1}
    assert second.json() == {"model": told, "shadow": False, "jobs": 0, "waiting": 1}
    (job,) = rescore_jobs(database)
    assert (job.status, job.priority < 0) == (JobStatus.QUEUED, True)


def test_shadow_is_another_order(clients: dict[Role, httpx.Client], database: Database) -> None:
    ask(clients[Role.OPERATOR], model="phantom:2.0.0")

    shadow = ask(clients[Role.OPERATOR], model="phantom:2.0.0", shadow=True)

    assert (shadow.json()["jobs"], shadow.json()["waiting"]) == (1, 1)


def test_what_cannot_be_scored_again_is_told(
    clients: dict[Role, httpx.Client], database: Database
) -> None:
    with database.transaction() as session:
        session.get_one(ModelRow, ("phantom", "1.0.0")).state = ModelState.RETIRED
    operator = clients[Role.OPERATOR]

    assert ask(clients[Role.VIEWER], model="phantom").status_code == 403
    assert ask(operator, "9.9.9", model="phantom").status_code == 404
    assert ask(operator, model="unknown").status_code == 422
    assert "is retired" in ask(operator, model="phantom:1.0.0").json()["detail"]
    assert ask(operator, model="phantom", speed=1).status_code in (400, 422)
    assert rescore_jobs(database) == []
