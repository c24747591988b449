from collections.abc import Iterator

import httpx
import pytest
from sqlmodel import col, select

from core.database import Database
from core.deliveries.destinations import add_destination, find_destination
from core.deliveries.outcomes import Patience, record_down, record_refused
from core.keys import Role, create_key
from core.settings import Settings
from core.tables.columns import key_of
from core.tables.deliveries import DeliveryRow
from core.tables.destinations import DestinationRow
from dicom_node.storage.bytes import Storage
from tests.builders.planned_delivery import destination, jobs, plan
from tests.fixtures.http_server import http_server

TOKEN = "made-up-token"  # noqa: S105 - a secret that must not be shown
HTML = {"Accept": "text/html"}


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    storage = Storage(settings.storage)
    with (
        http_server(settings, database, storage) as url,
        httpx.Client(timeout=60, base_url=url) as opened,
    ):
        yield opened


@pytest.fixture
def given_up(database: Database) -> int:
    """The second of three deliveries, which was given up; the destination is down since."""
    key = destination(database)
    for number in range(3):
        plan(database, f"1.2.{number}")
    with database.transaction() as session:
        rows = session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).all()
        pacs = session.get_one(DestinationRow, key)
        record_refused(session, pacs, rows[1], "The peer does not accept it", {})
        record_down(pacs, "no answer", Patience(8, 600.0))
        return key_of(rows[1])


def test_deliveries_are_listed_newest_first_in_pages(client: httpx.Client, given_up: int) -> None:
    first = client.get("/v1/deliveries", params={"limit": 2}).json()
    second = client.get("/v1/deliveries", params={"limit": 2, "cursor": first["next"]}).json()

    items = first["items"] + second["items"]
    assert [item["sop_instance_uid"] for item in items] == ["1.2.2", "1.2.1", "1.2.0"]
    assert second["next"] is None
    assert items[1]["state"] == "gave_up"
    assert items[1]["error"] == "The peer does not accept it"


def test_deliveries_are_searched(client: httpx.Client, given_up: int) -> None:
    wanted: list[tuple[dict[str, str], int]] = [
        ({"state": "gave_up"}, 1),
        ({"state": "waiting", "destination": "pacs"}, 2),
        ({"destination": "nowhere"}, 0),
        ({"study_uid": "1.2"}, 3),
        ({"study_uid": "1.3"}, 0),
    ]
    for asked, expected in wanted:
        answer = client.get("/v1/deliveries", params=asked)
        assert len(answer.json()["items"]) == expected, asked


def test_wrong_parameter_is_named(client: httpx.Client) -> None:
    for name, value in (("state", "lost"), ("limit", "0"), ("sate", "waiting")):
        answer = client.get("/v1/deliveries", params={name: value})

        assert answer.status_code == 422
        assert [error["parameter"] for error in answer.json()["errors"]] == [name]


def test_delivery_is_sent_once_more_and_its_job_is_due(
    client: httpx.Client, database: Database, given_up: int
) -> None:
    answer = client.post(f"/v1/deliveries/{given_up}/retry")

    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["attempts"]) == ("waiting", 0)
    assert [job.status for job in jobs(database)] == ["queued"]
    assert client.get("/v1/destinations").json()["items"][0]["circuit"] == "closed"
    assert client.post("/v1/deliveries/999/retry").status_code == 404
    assert client.post("/v1/deliveries/0/retry").status_code == 422


def test_only_what_was_given_up_is_dismissed(client: httpx.Client, given_up: int) -> None:
    assert client.post(f"/v1/deliveries/{given_up}/dismiss").json()["dismissed_at"] is not None
    refused = client.post(f"/v1/deliveries/{given_up + 1}/dismiss")

    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:arcuate:problem:delivery-not-given-up"


def test_destination_tells_what_waits_and_why_and_no_secret(
    client: httpx.Client, database: Database, given_up: int
) -> None:
    with database.transaction() as session:
        add_destination(session, "web", "stow_rs", "https://pacs/dicom-web", {}, TOKEN)

    answer = client.get("/v1/destinations")

    pacs, web = answer.json()["items"]
    assert (pacs["waiting"], pacs["gave_up"], pacs["circuit"]) == (2, 1, "open")
    assert (pacs["last_error"], pacs["has_secret"]) == ("no answer", False)
    assert (web["name"], web["has_secret"]) == ("web", True)
    page = client.get("/deliveries", headers=HTML)
    assert TOKEN not in answer.text + page.text


def test_all_of_a_destination_are_sent_once_more(client: httpx.Client, given_up: int) -> None:
    assert client.post("/v1/destinations/pacs/retry").json() == {"count": 3}
    assert client.post("/v1/destinations/nowhere/retry").status_code == 404


def test_destination_is_switched_off_and_on(
    client: httpx.Client, database: Database, given_up: int
) -> None:
    assert client.post("/v1/destinations/pacs/disable").json()["enabled"] is False
    with database.reading() as session:
        assert not find_destination(session, "pacs").enabled
    assert client.post("/v1/destinations/pacs/enable").json()["enabled"] is True


def test_rules_are_added_listed_and_taken_away(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        add_destination(session, "pacs", "folder", "/share")
    asked = {"destination": "pacs", "statuses": ["final"], "report_kinds": ["sr"]}

    added = client.post("/v1/delivery-rules", json=asked)

    assert added.status_code == 201
    assert added.json()["report_kinds"] == ["sr"]
    assert client.get("/v1/delivery-rules").json() == {"items": [added.json()], "next": None}
    assert client.delete(f"/v1/delivery-rules/{added.json()['id']}").status_code == 204
    assert client.get("/v1/delivery-rules").json()["items"] == []


def test_rule_that_cannot_hold_is_refused(client: httpx.Client, database: Database) -> None:
    destination(database)
    for name, value in (
        ("statuses", ["lost"]),
        ("laterality", "B"),
        ("report_kinds", ["opv"]),
        ("destinations", "pacs"),
    ):
        answer = client.post("/v1/delivery-rules", json={"destination": "pacs", name: value})

        assert answer.status_code == 422
        assert [error["parameter"] for error in answer.json()["errors"]] == [name]
    assert client.post("/v1/delivery-rules", json={"destination": "nowhere"}).status_code == 404


CHANGES = (
    ("POST", "/v1/deliveries/2/retry"),
    ("POST", "/v1/deliveries/2/dismiss"),
    ("POST", "/v1/destinations/pacs/retry"),
    ("POST", "/v1/destinations/pacs/disable"),
    ("POST", "/v1/destinations/pacs/enable"),
    ("POST", "/v1/delivery-rules"),
    ("DELETE", "/v1/delivery-rules/1"),
    ("POST", "/deliveries/2/retry"),
    ("POST", "/deliveries/2/dismiss"),
    ("POST", "/destinations/pacs/retry"),
    ("POST", "/destinations/pacs/disable"),
    ("POST", "/destinations/pacs/enable"),
)


def test_viewers_and_other_sites_change_nothing(
    settings: Settings, database: Database, given_up: int
) -> None:
    locked = settings.model_copy(update={"auth": "keys", "login_failures": 1000})
    with database.transaction() as session:
        viewer = create_key(session, "viewer", Role.VIEWER)
        operator = create_key(session, "operator", Role.OPERATOR)
    with (
        http_server(locked, database, Storage(locked.storage)) as url,
        httpx.Client(timeout=60) as client,
    ):
        for method, path in CHANGES:
            body = {"destination": "pacs"} if path == "/v1/delivery-rules" else None

            def ask(key: str, **headers: str) -> int:
                sent = {"X-API-Key": key, **headers}
                return client.request(method, url + path, json=body, headers=sent).status_code  # noqa: B023

            assert ask(viewer) == 403, path
            assert ask(operator, Origin="https://elsewhere.example") == 403, path
            assert ask("none") == 401, path
        with database.reading() as session:
            assert session.get_one(DeliveryRow, given_up).state == "gave_up"
            assert find_destination(session, "pacs").enabled
        assert ask(operator, Origin=url) < 400


def test_page_shows_what_is_wrong_and_sends_it_again(client: httpx.Client, given_up: int) -> None:
    page = client.get("/deliveries", headers=HTML)

    assert page.status_code == 200
    for text in ("pacs", "Down", "no answer", "Given up", "The peer does not accept it"):
        assert text in page.text
    assert f'action="/deliveries/{given_up}/retry"' in page.text

    answer = client.post(f"/deliveries/{given_up}/retry", headers=HTML)

    assert (answer.status_code, answer.headers["location"]) == (303, "/deliveries")
    after = client.get("/deliveries", headers=HTML).text
    assert "Given up</span>" not in after
    assert 'id="settled"' not in after
    for action in ("disable", "enable", "retry"):
        assert client.post(f"/destinations/pacs/{action}", headers=HTML).status_code == 303


def test_page_without_a_destination_says_how_to_make_one(client: httpx.Client) -> None:
    page = client.get("/deliveries", headers=HTML)

    assert "Results are sent nowhere" in page.text
    assert "Nothing is on its way" in page.text
