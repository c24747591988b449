from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from core.database import Database
from core.reviews import record_review
from core.settings import Settings
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.review import ReviewDecision, ReviewDraft
from dicom_node.storage.bytes import Storage
from tests.builders.feed import arrive, source_of
from tests.builders.prediction import Loss
from tests.fixtures.clockwork import QUIET, STUDY, Clockwork, predict, send_and_score
from tests.fixtures.http_server import http_server

_PATH = f"/v1/studies/{STUDY}"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    storage = Storage(settings.storage)
    with (
        http_server(settings, database, storage) as url,
        httpx.Client(timeout=60, base_url=url) as opened,
    ):
        yield opened


@pytest.fixture
def clockwork(database: Database, settings: Settings) -> Clockwork:
    return Clockwork(database, settings)


def test_settled_summary_tells_both_eyes(client: httpx.Client, clockwork: Clockwork) -> None:
    refused = predict(2, Laterality.LEFT, status=PredictionStatus.NOT_ASSESSABLE)
    send_and_score(clockwork, predict(1), refused)
    clockwork.work()
    clockwork.work(QUIET)

    summary = client.get(f"{_PATH}/summary").json()

    right, left = summary.pop("eyes")
    assert summary == {
        "study_instance_uid": STUDY,
        "version": 1,
        "state": "settled",
        "cause": "quiet_time",
        "opened_at": "2026-03-04T09:30:00Z",
        "changed_at": "2026-03-04T09:30:00Z",
        "settled_at": "2026-03-04T09:31:00Z",
        "counts": {
            "received": 2,
            "scored": 1,
            "not_assessable": 1,
            "failed": 0,
            "pending": 0,
            "not_model_input": 0,
        },
        "missing": 0,
        "supersedes": None,
        "superseded_by": None,
        "links": {
            "self": f"{_PATH}/summary?version=1",
            "study": _PATH,
            "report": None,
            "pdf": None,
            "png": None,
        },
    }
    assert (right["laterality"], right["status"], right["current"]) == ("R", "final", "p1")
    assert right["results"][0]["mean_deviation_db"] == pytest.approx(
        client.get("/v1/predictions/p1").json()["indices"]["mean_deviation"], abs=1e-3
    )
    assert (left["laterality"], left["status"]) == ("L", "not_assessable")
    assert left["results"][0]["reasons"] == ["signal_too_low"]
    assert client.get(_PATH).json()["summary"] == client.get(f"{_PATH}/summary").json()


def test_open_summary_tells_what_is_known_so_far(
    client: httpx.Client, clockwork: Clockwork
) -> None:
    send_and_score(clockwork, predict(1))
    with clockwork.database.transaction() as session:
        arrive(session, source_of(2))
    clockwork.work()

    summary = client.get(f"{_PATH}/summary").json()

    assert (summary["state"], summary["settled_at"]) == ("open", None)
    assert (summary["counts"]["scored"], summary["counts"]["pending"]) == (1, 1)
    assert summary["eyes"][0]["current"] == "p1"


def test_earlier_version_stays_and_names_its_successor(
    client: httpx.Client, clockwork: Clockwork
) -> None:
    send_and_score(clockwork, predict(1))
    clockwork.work()
    clockwork.work(QUIET)
    clockwork.work(timedelta(hours=1))
    send_and_score(clockwork, predict(2, Laterality.LEFT))
    clockwork.work()
    clockwork.work(QUIET)

    first = client.get(f"{_PATH}/summary", params={"version": 1}).json()
    second = client.get(f"{_PATH}/summary").json()

    assert (first["state"], first["superseded_by"], first["eyes"][1]["current"]) == (
        "superseded",
        2,
        None,
    )
    assert (second["supersedes"], second["eyes"][1]["current"]) == (1, "p2")


def test_result_page_shows_both_eyes_and_where_results_disagree(
    client: httpx.Client, clockwork: Clockwork
) -> None:
    worse = predict(2, prediction_id="worse", loss=Loss.ADVANCED)
    send_and_score(clockwork, predict(1), worse)
    clockwork.work()
    clockwork.work(QUIET)

    page = client.get("/predictions/p1", headers={"Accept": "text/html"}).text

    assert "version 1, 2026-03-04 09:31: nothing more came" in page
    assert '<a href="/predictions/worse">' in page
    assert "Right eye (OD): the results disagree" in page
    assert "nothing was scored" in page
    assert "2 received: 2 scored, 0 not assessable" in page


def test_result_page_gives_no_number_of_an_eye_that_must_not_be_used(
    client: httpx.Client, clockwork: Clockwork
) -> None:
    send_and_score(clockwork, predict(1), predict(2, Laterality.LEFT, prediction_id="left"))
    clockwork.work()
    clockwork.work(QUIET)
    with clockwork.database.transaction() as session:
        rejection = ReviewDraft(ReviewDecision.REJECT, "dr-ito", "Disc drusen.")
        record_review(session, "left", rejection, clockwork.now)
    clockwork.work()
    clockwork.work(QUIET)

    page = client.get("/predictions/p1", headers={"Accept": "text/html"}).text

    row = page.partition('<a href="/predictions/left">')[2].partition("</tr>")[0]
    assert "must not be used" in row
    assert "dB" not in row


def test_study_without_a_summary_yet(client: httpx.Client, clockwork: Clockwork) -> None:
    send_and_score(clockwork, predict(1))

    assert client.get(_PATH).json()["summary"] is None
    answer = client.get(f"{_PATH}/summary")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "The study has no summary of that version yet",
    )
