"""The list of scans as they come, over HTTP."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest

from core.database import Database
from core.ledger import claim, enqueue, fail
from core.reviews import record_review, request_review
from core.settings import Settings
from core.tables.jobs import JobKind
from core.tables.predictions import PredictionRow
from core.tables.series import SeriesRow
from core.tables.sightings import DeviceRow
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.person_name import FoldedName
from core.values.prediction import Prediction, PredictionStatus
from core.values.reason import Reason, ReasonCode
from core.values.review import Amendment, ReviewDecision, ReviewDraft
from core.values.scan import Device
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_instance, keep_patient, keep_prediction
from tests.builders.prediction import build_prediction
from tests.fixtures.http_server import http_server

_DAY = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    with (
        http_server(settings, database, Storage(settings.storage)) as url,
        httpx.Client(base_url=url, headers={"Accept": "text/html"}, timeout=60) as opened,
    ):
        yield opened


def _keep(database: Database, number: int, **values: object) -> Prediction:
    """Keep the result p<number> of a scan of its own; greater numbers came later."""
    source = InstanceIdentity("1.2", f"1.3.{number}", f"1.4.{number}")
    made = build_prediction(prediction_id=f"p{number}", **{"source": source, **values})
    with database.transaction() as session:
        keep_prediction(session, made)
        patient = keep_patient(session, made.patient)
        patient.name_alphabetic = FoldedName.of(made.patient.name).alphabetic
        patient.name_ideographic = FoldedName.of(made.patient.name).ideographic
    return made


def _keep_waiting(database: Database, number: int, name: str = "Waiting^Wendy") -> None:
    """Keep a scan that waits for its analysis."""
    with database.transaction() as session:
        source = InstanceIdentity(f"1.5.{number}", f"1.6.{number}", f"1.7.{number}")
        row = keep_instance(session, PatientIdentity(f"W{number}", None, name), source)
        enqueue(session, JobKind.ANALYSE, str(row.id))


def _shown(answer: httpx.Response) -> list[str]:
    """Return the results of a page by the number of their names, in order."""
    assert answer.status_code == 200
    marks = answer.text.split('href="/predictions/')[1:]
    return [mark.partition('"')[0] for mark in marks]


def _asked(client: httpx.Client, **wanted: str) -> list[str]:
    """Return what the list shows when it is asked for, both ways it can be."""
    by_form = _shown(client.post("/live", data=wanted))
    if "text" not in wanted:
        assert _shown(client.get("/", params=wanted)) == by_form
    return by_form


def test_scans_stand_in_the_order_they_came_however_late_they_were_scored(
    client: httpx.Client, database: Database
) -> None:
    _keep(database, 1, predicted_at=_DAY.replace(hour=20))
    _keep(database, 2, predicted_at=_DAY.replace(hour=10))

    assert _asked(client) == ["p2", "p1"]


def test_results_of_two_models_stand_beside_each_other_and_replaced_ones_do_not(
    client: httpx.Client, database: Database
) -> None:
    first = _keep(database, 1)
    with database.transaction() as session:
        row = session.get_one(PredictionRow, "p1")
        other = row.model_dump() | {"id": "other", "model_digest": "sha256:00"}
        replaced = row.model_dump() | {"id": "replaced", "status": PredictionStatus.SUPERSEDED}
        session.add_all([PredictionRow(**other), PredictionRow(**replaced)])

    assert first.model.digest > "sha256:00"
    assert _asked(client) == ["p1", "other"]


def test_scan_without_an_answer_is_shown_with_its_state(
    client: httpx.Client, database: Database
) -> None:
    _keep_waiting(database, 1)
    _keep_waiting(database, 2, "Running^Rose")
    with database.transaction() as session:
        (held,) = claim(session, JobKind.ANALYSE, "worker", 1, 60.0)

    text = client.get("/").text

    assert held.subject == "1"
    assert text.index("Running, Rose") < text.index("Waiting, Wendy")
    assert text.index("chip queued") < text.index("chip running")
    assert "2 scans being analysed" in text


def test_attempt_that_broke_is_told_without_its_cause(
    client: httpx.Client, database: Database
) -> None:
    _keep_waiting(database, 1)
    with database.transaction() as session:
        (held,) = claim(session, JobKind.ANALYSE, "worker", 1, 60.0)
        assert fail(session, held, "memory ran out", retry=True, maximum_attempts=3)

    text = client.get("/").text

    assert "An attempt broke; it is tried again by itself." in text
    assert "memory ran out" not in text


def test_weak_scan_asks_to_be_taken_again(client: httpx.Client, database: Database) -> None:
    _keep(database, 1, status=PredictionStatus.NOT_ASSESSABLE)

    text = client.get("/").text

    assert 'class="again"' in text
    assert "Scan the eye again: clean the lens" in text


def test_list_is_narrowed_by_eye(client: httpx.Client, database: Database) -> None:
    _keep(database, 1, laterality=Laterality.LEFT)
    _keep(database, 2, laterality=Laterality.RIGHT)

    assert _asked(client, eye="L") == ["p1"]


def test_list_is_narrowed_by_state(client: httpx.Client, database: Database) -> None:
    age = (Reason(ReasonCode.AGE_MISSING, "The age is unknown."),)
    _keep(database, 1)
    _keep(database, 2, status=PredictionStatus.NOT_ASSESSABLE)
    _keep(database, 3, status=PredictionStatus.NOT_ASSESSABLE, reasons=age)
    _keep(database, 4, status=PredictionStatus.FAILED)
    _keep_waiting(database, 5)
    with database.transaction() as session:
        request_review(session, "p1", "dr", "", _DAY)

    found = {
        state: _asked(client, state=state)
        for state in ("final", "not_assessable", "scan_again", "failed", "to_review", "waiting")
    }

    assert found == {
        "final": ["p1"],
        "not_assessable": ["p3", "p2"],
        "scan_again": ["p2"],
        "failed": ["p4"],
        "to_review": ["p1"],
        "waiting": [],
    }
    assert "Waiting, Wendy" in client.get("/?state=waiting").text
    assert "Waiting, Wendy" not in client.get("/?state=final").text


def test_list_is_narrowed_by_device(client: httpx.Client, database: Database) -> None:
    _keep(database, 1, device=Device("Maker", "One"))
    _keep(database, 2, device=Device("Other", "One"))
    _keep_waiting(database, 3)
    with database.transaction() as session:
        series = session.get_one(SeriesRow, 3)
        series.manufacturer, series.manufacturer_model_name = "Other", "One"
        seen = {"first_seen_at": _DAY, "last_seen_at": _DAY}
        session.add(DeviceRow(manufacturer="Other", model="One", serial_number="1", **seen))

    page = client.get("/", params={"device": "Other\\One"})

    assert _shown(page) == ["p2"]
    assert "Waiting, Wendy" in page.text
    assert '<option value="Other\\One" selected>Other One</option>' in page.text
    assert _asked(client, device="Maker\\One") == ["p1"]


def test_list_is_narrowed_by_the_day_a_scan_came(client: httpx.Client, database: Database) -> None:
    for number, day in ((1, 3), (2, 4), (3, 5)):
        moment = datetime(2026, 3, day, 12).astimezone()
        _keep(database, number, received_at=moment)

    assert _asked(client, since="2026-03-04") == ["p3", "p2"]
    assert _asked(client, until="2026-03-04") == ["p2", "p1"]
    assert _asked(client, since="2026-03-04", until="2026-03-04") == ["p2"]
    assert _asked(client, until="9999-12-31") == ["p3", "p2", "p1"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("yamada", ["p2"]),
        ("TAROU yama", ["p2"]),
        ("山田", ["p2"]),
        ("id-2", ["p2"]),
        ("nobody", []),
        ("%", []),
        ("_", []),
        (" ", ["p2", "p1"]),
    ],
)
def test_list_is_narrowed_by_name_or_patient_id(
    client: httpx.Client, database: Database, text: str, found: list[str]
) -> None:
    _keep(database, 1, patient=PatientIdentity("ID-1", None, "Doe^Jane"))
    source = InstanceIdentity("1.9", "1.9.1", "1.9.2")
    yamada = PatientIdentity("ID-2", "Clinic", "Yamada^Tarou=山田^太郎")
    _keep(database, 2, patient=yamada, source=source)

    assert _asked(client, text=text) == found


def test_name_gets_into_no_address(client: httpx.Client, database: Database) -> None:
    for number in range(51):
        _keep(database, number)

    rows = client.post("/live", data={"text": "sample", "eye": "R"})
    page = client.post("/", data={"text": "sample", "eye": "R"})

    assert rows.headers["hx-replace-url"] == "/?eye=R"
    links = [part.partition('"')[0] for part in page.text.split('href="')[1:]]
    assert [link for link in links if "sample" in link.lower() or "P-0001" in link] == []
    # The next page is asked for by the form, which holds the name.
    cursor = page.text.partition('name="cursor" value="')[2].partition('"')[0]
    assert _shown(client.post("/", data={"text": "sample", "cursor": cursor})) == ["p0"]


def test_scans_of_a_name_can_be_gone_through_to_the_oldest(
    client: httpx.Client, database: Database
) -> None:
    for number in range(51):
        _keep(database, number)

    first = client.post("/live", data={"text": "sample", "eye": "R"}).text
    form = first.partition('<form method="post" action="/">')[2].partition("</form>")[0]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))

    # Sent by the browser itself: what asks for a part of the page gets the newest.
    assert "hx-" not in form
    assert (fields["text"], fields["eye"]) == ("sample", "R")
    assert _shown(client.post("/", data=fields)) == ["p0"]


@pytest.mark.parametrize("decision", [ReviewDecision.REJECT, ReviewDecision.AMEND])
def test_number_that_must_not_be_used_is_not_shown(
    client: httpx.Client, database: Database, decision: ReviewDecision
) -> None:
    _keep(database, 1)
    instead = Amendment(assessable=False) if decision is ReviewDecision.AMEND else Amendment()
    with database.transaction() as session:
        record_review(session, "p1", ReviewDraft(decision, "dr-ito", "Drusen", instead), _DAY)

    row = client.get("/").text.partition("<tbody>")[2].partition("</tbody>")[0]

    assert "chip failed" in row
    assert "dB" not in row


def test_address_takes_no_name(client: httpx.Client, database: Database) -> None:
    _keep(database, 1)

    page = client.get("/", params={"text": "nobody"})

    assert _shown(page) == ["p1"]
    assert "nobody" not in page.text


def test_every_scan_is_on_one_page(client: httpx.Client, database: Database) -> None:
    for number in range(120):
        _keep(database, number, laterality=Laterality.LEFT)

    seen, address = [], "/?eye=L"
    while address:
        page = client.get(address)
        seen += _shown(page)
        address = _older(page)

    assert seen == [f"p{number}" for number in reversed(range(120))]


def _older(page: httpx.Response) -> str:
    links = [part.partition('"')[0] for part in page.text.split('href="')[1:]]
    found = [link.replace("&amp;", "&") for link in links if "cursor=" in urlsplit(link).query]
    return found[0] if found else ""


def test_day_before_all_scans_narrows_nothing(client: httpx.Client, database: Database) -> None:
    _keep(database, 1)

    assert _asked(client, since="0001-01-01") == ["p1"]
    assert _asked(client, until="0001-01-01") == []


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"cursor": "forged"}, 400),
        ({"cursor": "WyJsaXZlIiwiMSJd"}, 400),
        ({"cursor": "WyJsaXZlIiwieCIsInkiXQ"}, 400),
        ({"cursor": "WyJsaXZlIiwiOTk5OTk5OTk5OTk5OTk5OTk5OTkiLCJ5Il0"}, 400),
        ({"eye": "X"}, 422),
        ({"state": "superseded"}, 422),
        ({"since": "yesterday"}, 422),
        ({"device": "x" * 201}, 422),
    ],
)
def test_what_cannot_be_wanted_is_refused(
    client: httpx.Client, wanted: dict[str, str], status: int
) -> None:
    assert client.get("/", params=wanted).status_code == status


def test_what_cannot_be_wanted_is_refused_and_not_repeated(client: httpx.Client) -> None:
    answer = client.post("/live", data={"text": "y" * 65, "eye": "Yamada"})

    assert answer.status_code == 422
    assert "Yamada" not in answer.text
    assert "y" * 65 not in answer.text


def test_form_of_another_site_learns_nothing(client: httpx.Client, database: Database) -> None:
    _keep(database, 1)

    for path in ("/", "/live"):
        answer = client.post(path, headers={"Origin": "https://elsewhere.example"})
        assert (answer.status_code, "Sample" in answer.text) == (403, False)


def test_many_patients_of_a_name_are_told(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        for number in range(201):
            keep_patient(session, PatientIdentity(f"MANY-{number}"))

    assert "Type more letters." in client.post("/live", data={"text": "many"}).text
    assert "Type more letters." not in client.post("/live", data={"text": "many-200"}).text
