from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from core.database import Database
from core.settings import Settings
from core.tables.peers import PeerRow
from core.values.identity import InstanceIdentity, PatientIdentity
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_patient, keep_prediction
from tests.builders.prediction import build_prediction
from tests.fixtures.http_server import http_server

_START = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    storage = Storage(settings.storage)
    with (
        http_server(settings, database, storage) as url,
        httpx.Client(timeout=60, base_url=url) as opened,
    ):
        yield opened


def _keep(database: Database, *numbers: int) -> None:
    """Keep predictions of which each two have the same time, so that the order needs the id."""
    with database.transaction() as session:
        for number in numbers:
            prediction = build_prediction(
                prediction_id=f"p{number:03d}",
                source=InstanceIdentity("1.2", "1.3", f"1.4.{number}"),
                predicted_at=_START + timedelta(seconds=number // 2),
            )
            keep_prediction(session, prediction)


def _page(
    client: httpx.Client, path: str, cursor: str | None, key: str
) -> tuple[list[str], str | None]:
    parameters = {"limit": "3"} if cursor is None else {"limit": "3", "cursor": cursor}
    page = client.get(path, params=parameters).json()
    return [item[key] for item in page["items"]], page["next"]


def _walk(client: httpx.Client, path: str, key: str) -> list[str]:
    found, cursor = _page(client, path, None, key)
    while cursor is not None:
        items, cursor = _page(client, path, cursor, key)
        found += items
    return found


@pytest.mark.parametrize("count", [0, 3, 4, 8])
def test_pages_give_every_prediction_once(
    client: httpx.Client, database: Database, count: int
) -> None:
    _keep(database, *range(count))

    found = _walk(client, "/v1/predictions", "id")

    assert found == [f"p{number:03d}" for number in reversed(range(count))]


def test_pages_skip_and_repeat_nothing_while_predictions_arrive(
    client: httpx.Client, database: Database
) -> None:
    _keep(database, *range(7))

    first, cursor = _page(client, "/v1/predictions", None, "id")
    _keep(database, 10, 11, 12)
    second, cursor = _page(client, "/v1/predictions", cursor, "id")
    _keep(database, 13)
    third, cursor = _page(client, "/v1/predictions", cursor, "id")

    assert first + second + third == [f"p{number:03d}" for number in range(6, -1, -1)]
    assert cursor is None


def test_pages_of_every_list_are_complete(client: httpx.Client, database: Database) -> None:
    _keep(database, *range(5))
    with database.transaction() as session:
        for number in range(5):
            keep_patient(session, PatientIdentity(f"P{number}"))
            session.add(PeerRow(ae_title=f"DEVICE{number}", host="*", added_at=_START))

    assert _walk(client, "/v1/patients", "patient_id") == ["P-0001", *(f"P{n}" for n in range(5))]
    assert _walk(client, "/v1/peers", "ae_title") == [f"DEVICE{n}" for n in range(5)]
    assert _walk(client, "/v1/studies/1.2/instances", "sop_instance_uid") == [
        f"1.4.{n}" for n in range(5)
    ]


_REFUSED = {
    "/v1/predictions?cursor=zz": (400, "cursor"),
    "/v1/patients?cursor=%F0%9F%91%81": (400, "cursor"),
    "/v1/callers?cursor=W10": (400, "cursor"),
    "/v1/predictions?limit=0": (422, "limit"),
    "/v1/predictions?limit=501": (422, "limit"),
    "/v1/predictions?limit=all": (422, "limit"),
    "/v1/predictions?patientid=P1": (422, "patientid"),
    "/v1/predictions?laterality=B": (422, "laterality"),
    "/v1/predictions?status=good": (422, "status"),
    "/v1/predictions?acquired_from=2011-02-30": (422, "acquired_from"),
    "/v1/predictions?acquired_to=2011-01-01T10:00:00": (422, "acquired_to"),
    "/v1/predictions?mean_deviation_max=nan": (422, "mean_deviation_max"),
    "/v1/changes?after=-1": (422, "after"),
    "/v1/jobs?status=lost": (422, "status"),
}


def test_wrong_parameter_is_named_and_not_repeated(client: httpx.Client) -> None:
    answers = {path: client.get(path) for path in _REFUSED}

    assert {
        path: (answer.status_code, answer.json()["errors"][0]["parameter"])
        for path, answer in answers.items()
    } == _REFUSED
    assert {answer.headers["content-type"] for answer in answers.values()} == {
        "application/problem+json"
    }
    assert [path for path, answer in answers.items() if "2011" in answer.text] == []


def test_cursor_of_another_list_is_refused(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        for number in range(5):
            keep_patient(session, PatientIdentity(f"P{number}"))
    _, cursor = _page(client, "/v1/patients", None, "patient_id")
    assert cursor is not None

    assert client.get("/v1/studies", params={"cursor": cursor}).status_code == 400
