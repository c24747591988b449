"""What researchers get, and that it is all they get."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from api.app import create_app
from core.database import Database
from core.keys import Role, create_key
from core.pseudonyms import pseudonyms_of
from core.settings import Settings
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.scan import Device
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_prediction
from tests.builders.prediction import build_prediction
from tests.fixtures.http_server import serving

PERSON = PatientIdentity("MRN-7719", "Hospital-X", "Okonkwo^Adaeze", date(1934, 7, 9), "F")
TELLTALES = (
    *("Okonkwo", "Adaeze", "MRN-7719", "Hospital-X", "1934-07-09", "19340709", "ACC-5521"),
    *("1.2.840.99999", "SN-31337", "2024-03-20", "20240320", "p-first", "p-second", "Drsmith"),
)
_FIRST = datetime(2024, 3, 20, 10, 15, tzinfo=UTC)
_OPEN = {
    *("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"),
    *("/metrics", "/login", "/logout"),
}
_HTML = {"Accept": "text/html"}


@pytest.fixture
def locked(settings: Settings) -> Settings:
    return settings.model_copy(update={"auth": "keys"})


@pytest.fixture
def app(locked: Settings, database: Database) -> FastAPI:
    storage = Storage(locked.storage)
    storage.prepare()
    with database.transaction() as session:
        for number, (name, eye) in enumerate(
            (("p-first", Laterality.RIGHT), ("p-second", Laterality.LEFT))
        ):
            keep_prediction(
                session,
                build_prediction(
                    prediction_id=name,
                    patient=PERSON,
                    laterality=eye,
                    age_years=93.4,
                    device=Device("=Maker", "Scanner", "SN-31337"),
                    acquired_at=_FIRST + timedelta(days=400 * number),
                    source=InstanceIdentity(
                        f"1.2.840.99999.{number}",
                        f"1.2.840.99999.{number}.1",
                        f"1.2.840.99999.{number}.2",
                        "ACC-5521",
                    ),
                ),
            )
    return create_app(locked, database, storage)


@pytest.fixture
def client(app: FastAPI, locked: Settings, database: Database) -> Iterator[httpx.Client]:
    with database.transaction() as session:
        key = create_key(session, "study", Role.RESEARCHER)
    with (
        serving(app, locked) as url,
        httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=30) as opened,
    ):
        yield opened


def test_results_stand_under_pseudonyms(client: httpx.Client, database: Database) -> None:
    answer = client.get("/v1/research/predictions")

    items = answer.json()["items"]
    names = pseudonyms_of(database, "research")
    assert {item["result"] for item in items} == {names.result("p-first"), names.result("p-second")}
    assert {item["patient"] for item in items} == {names.patient(PERSON)}
    assert {item["age_years"] for item in items} == {90}
    assert {item["device"]["model"] for item in items} == {"Scanner"}
    assert len(items[0]["sensitivities"]) == 52
    assert len(items[0]["rnfl"]["profile_um"]) == 768
    days = sorted(date.fromisoformat(item["acquired_on"]) for item in items)
    assert (days[1] - days[0]).days == 400
    assert days[0] <= date(2023, 3, 21)


def test_pages_go_on_and_their_cursors_hide_where(client: httpx.Client) -> None:
    first = client.get("/v1/research/predictions", params={"limit": 1}).json()
    again = client.get("/v1/research/predictions", params={"limit": 1}).json()
    second = client.get(
        "/v1/research/predictions", params={"limit": 1, "cursor": first["next"]}
    ).json()

    assert second["next"] is None
    assert second["items"] != first["items"]
    assert again["next"] != first["next"]
    for forged in (first["next"][:-2] + "AA", "AAAA", "cC1maXJzdA", "é", ""):
        answer = client.get("/v1/research/predictions", params={"cursor": forged})
        assert answer.status_code == 400


def test_mean_deviation_is_asked_for_in_whole_decibels(client: httpx.Client) -> None:
    answer = client.get("/v1/research/predictions", params={"mean_deviation_max": "-2.51"})

    assert answer.status_code == 422


def test_no_day_can_be_searched_for(client: httpx.Client) -> None:
    answer = client.get("/v1/research/predictions", params={"acquired_from": "2024-03-20"})

    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"laterality": "L"}, 1),
        ({"model": "retinervenet"}, 2),
        ({"model": "retinervenet:9.9.9"}, 0),
        ({"status": "not_assessable"}, 0),
        ({"mean_deviation_max": "30"}, 2),
        ({"mean_deviation_max": "-30"}, 0),
    ],
)
def test_filters_narrow_the_list(client: httpx.Client, query: dict[str, str], found: int) -> None:
    assert len(client.get("/v1/research/predictions", params=query).json()["items"]) == found


def test_table_holds_every_result_and_no_formula(client: httpx.Client) -> None:
    answer = client.get("/v1/research/predictions.csv")

    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(rows) == 2
    assert {row["estimated"] for row in rows} == {"True"}
    assert {row["manufacturer"] for row in rows} == {"'=Maker"}
    assert all(float(row["s52"]) > 0 and float(row["p767"]) > 0 for row in rows)


def test_failed_and_replaced_results_are_not_there(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        for status in (PredictionStatus.FAILED, PredictionStatus.SUPERSEDED):
            source = InstanceIdentity("1.7", "1.7.1", f"1.7.{status.value}")
            keep_prediction(
                session, build_prediction(prediction_id=status.value, status=status, source=source)
            )

    assert len(client.get("/v1/research/predictions").json()["items"]) == 2


def test_page_shows_results_to_researchers(client: httpx.Client, database: Database) -> None:
    page = client.get("/research", headers=_HTML)

    assert page.status_code == 200
    assert pseudonyms_of(database, "research").patient(PERSON) in page.text
    assert "ESTIMATED" in page.text


def test_researcher_who_signs_in_comes_to_the_page(client: httpx.Client) -> None:
    first = client.get("/", headers=_HTML)

    assert (first.status_code, first.headers["location"]) == (303, "/research")
    assert client.get("/").status_code == 403


def _walked(app: FastAPI) -> list[tuple[str, str]]:
    """Return method and path of every route, with ids that are there."""
    named = {"prediction_id": "p-first", "patient_id": "MRN-7719", "uid": "1.2.840.99999.0"}
    found = []
    for context in iter_route_contexts(app.routes):
        path = context.path or ""
        if not path or isinstance(context.original_route, Mount):
            continue
        filled = re.sub(r"\{(\w+)[^}]*\}", lambda m: named.get(m[1], "1"), path)
        found += [(method, filled) for method in sorted(context.methods or {"GET"})]
    return sorted(found)


def test_researcher_meets_nobody_on_any_route(app: FastAPI, client: httpx.Client) -> None:
    walked = _walked(app)
    answers = {}
    for method, path in walked:
        for headers in ({}, _HTML):
            with client.stream(method, path, headers=headers) as answer:
                answers[method, path] = (answer.status_code, answer.read().decode("latin-1"))
                status, body = answers[method, path]
                told = [text for text in TELLTALES if text.lower() in body.lower()]
                # What was asked for may come back in an error.
                assert [text for text in told if text not in path] == [], (method, path, status)

    allowed = {path for (_, path), (status, _) in answers.items() if status == 200}
    assert len(walked) > 60
    assert allowed - _OPEN == {
        "/account",
        "/openapi.json",
        "/research",
        "/v1/research/predictions",
        "/v1/research/predictions.csv",
        *("/v2", "/v2/models"),
        *("/v2/spaces", "/v2/hardware_specifications", "/ml/wml_services/v2/version"),
        # Of jobs those that name no stored study.
        *("/ml/v4/deployments", "/ml/v4/deployment_jobs"),
    }


def test_other_roles_read_research_too(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        key = create_key(session, "reader", Role.VIEWER)

    assert client.get("/v1/research/predictions", headers={"X-API-Key": key}).status_code == 200
