"""Looking up over HTTP: severity, devices and dates, fields, entity tags, and whole tables."""

import csv
import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyarrow.parquet
import pytest

from api.rest.export_rows import EXPORT_COLUMNS
from core.clock import utc_now
from core.database import Database
from core.reviews import record_review
from core.score_columns import COLUMNS
from core.settings import Settings
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import Prediction, PredictionStatus
from core.values.review import ReviewDecision, ReviewDraft
from core.values.scan import Device
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_patient, keep_prediction
from tests.builders.prediction import Loss, build_prediction
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


def _numbered(number: int, **changes: Any) -> Prediction:
    """A prediction of its own study, received and predicted one day after the one before."""
    at = _START + timedelta(days=number)
    values: dict[str, Any] = {
        "prediction_id": f"p{number:03d}",
        "source": InstanceIdentity(f"1.2.{number}", f"1.3.{number}", f"1.4.{number}", f"A{number}"),
        "received_at": at,
        "predicted_at": at + timedelta(hours=1),
    }
    return build_prediction(**{**values, **changes})


def _keep(database: Database, *predictions: Prediction) -> None:
    with database.transaction() as session:
        for prediction in predictions:
            keep_prediction(session, prediction)


@pytest.fixture
def three_eyes(database: Database) -> None:
    """A healthy, an arcuate and an advanced field, of three devices."""
    _keep(
        database,
        _numbered(1, patient=PatientIdentity("P1", "A", "王小東=王^小東=ワン^シャオドン")),
        _numbered(2, loss=Loss.ARCUATE, device=Device("Maker", "Other", "SN-2")),
        _numbered(3, loss=Loss.ADVANCED, device=Device("Another", "Scanner", "SN-3")),
        _numbered(4, status=PredictionStatus.NOT_ASSESSABLE, laterality=Laterality.LEFT),
    )


_FILTERS: list[tuple[dict[str, str], list[str]]] = [
    ({"severity": "early"}, ["p001"]),
    ({"severity": "moderate"}, ["p002"]),
    ({"severity": "severe"}, ["p003"]),
    ({"mean_deviation_min": "-12"}, ["p002", "p001"]),
    ({"device_model": "Other"}, ["p002"]),
    ({"device_serial_number": "SN-3"}, ["p003"]),
    ({"manufacturer": "Another"}, ["p003"]),
    ({"received_from": "2026-03-07T09:30:00Z"}, ["p004", "p003"]),
    ({"received_to": "2026-03-05T09:30:00Z"}, ["p001"]),
    ({"predicted_from": "2026-03-06T10:30:00Z", "predicted_to": "2026-03-07T00:00:00Z"}, ["p002"]),
    ({"status": "not_assessable", "laterality": "L"}, ["p004"]),
]


@pytest.mark.usefixtures("three_eyes")
def test_search_narrows_by_severity_device_and_date(client: httpx.Client) -> None:
    found = [
        (
            given,
            [item["id"] for item in client.get("/v1/predictions", params=given).json()["items"]],
        )
        for given, _ in _FILTERS
    ]

    assert found == _FILTERS


@pytest.mark.usefixtures("three_eyes")
def test_only_the_fields_that_are_asked_for_come(client: httpx.Client) -> None:
    fields = "id,laterality,indices.mean_deviation,points.location,reasons"

    one = client.get("/v1/predictions/p003", params={"fields": fields}).json()
    page = client.get("/v1/predictions", params={"fields": "id, status", "limit": 2}).json()

    assert list(one) == ["id", "laterality", "points", "indices", "reasons"]
    assert list(one["indices"]) == ["mean_deviation"]
    assert one["points"][0] == {"location": 1}
    assert len(one["points"]) == 52
    assert page["items"] == [
        {"id": "p004", "status": "not_assessable"},
        {"id": "p003", "status": "final"},
    ]
    assert page["next"] is not None


@pytest.mark.parametrize(
    ("path", "fields", "named"),
    [
        ("/v1/predictions", "id,eye", "eye"),
        ("/v1/predictions/p001", "indices.md", "indices.md"),
        ("/v1/predictions/p001", "id.x", "id.x"),
        ("/v1/predictions/p001", "id,", "(no name)"),
        ("/v1/patients", "patient_id,Doe^Jane", "(no name)"),
        ("/v1/patients/P1", "former_ids.name", "former_ids.name"),
        ("/v1/studies", "patient.age", "patient.age"),
        ("/v1/studies/1.2.1", "uid", "uid"),
    ],
)
@pytest.mark.usefixtures("three_eyes")
def test_field_that_there_is_not_is_named(
    client: httpx.Client, path: str, fields: str, named: str
) -> None:
    answer = client.get(path, params={"fields": fields})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    [error] = answer.json()["errors"]
    assert error["parameter"] == "fields"
    assert error["message"].endswith(f": {named}")


_TAGGED = [
    "/v1/predictions",
    "/v1/predictions/p001",
    "/v1/patients",
    "/v1/patients/P1",
    "/v1/patients/P1/predictions",
    "/v1/studies",
    "/v1/studies/1.2.1",
    "/v1/studies/1.2.1/predictions",
    "/v1/studies/1.2.1/instances",
]


@pytest.mark.usefixtures("three_eyes")
def test_known_answer_is_not_sent_again_and_a_changed_one_is(
    client: httpx.Client, database: Database
) -> None:
    tags = {path: client.get(path).headers["etag"] for path in _TAGGED}

    again = {path: client.get(path, headers={"If-None-Match": tags[path]}) for path in _TAGGED}
    weak = client.get("/v1/predictions", headers={"If-None-Match": f'"x", W/{tags[_TAGGED[0]]}'})
    _keep(database, _numbered(5, patient=PatientIdentity("P1", "A")))
    changed = client.get("/v1/predictions", headers={"If-None-Match": tags["/v1/predictions"]})

    assert {path: (a.status_code, a.content) for path, a in again.items()} == dict.fromkeys(
        _TAGGED, (304, b"")
    )
    assert {path: a.headers["etag"] for path, a in again.items()} == tags
    assert weak.status_code == 304
    assert changed.status_code == 200
    assert changed.json()["items"][0]["id"] == "p005"


def test_name_is_found_in_any_script_beginnings_first(
    client: httpx.Client, database: Database
) -> None:
    names = [
        "Hansen^Ann",
        "Ann^Hans",
        "王^小東=王^小東=ワン^シャオドン",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
    ]
    with database.transaction() as session:
        for number, name in enumerate(names):
            keep_patient(session, PatientIdentity(f"P{number}", None, name))
    expected = {
        "ann": ["P1", "P0"],
        "ＡＮＮ": ["P1", "P0"],
        "山田": ["P3"],
        "太郎": ["P3"],
        "たろう": ["P3"],
        "王": ["P2"],
        "%": [],
        "nobody": [],
    }

    found = {
        name: [
            p["patient_id"]
            for p in client.get("/v1/patients", params={"name": name}).json()["items"]
        ]
        for name in expected
    }

    assert found == expected


def test_pages_of_a_search_by_name_give_every_patient_once(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        for number in range(9):
            name = f"Berg^{number}" if number % 3 else f"Feld-Berg^{number}"
            keep_patient(session, PatientIdentity(f"P{number}", None, name))

    found, cursor = [], ""
    while cursor is not None:
        given = {"name": "berg", "limit": "2", **({"cursor": cursor} if cursor else {})}
        answer = client.get("/v1/patients", params=given).json()
        found += [patient["patient_id"] for patient in answer["items"]]
        cursor = answer["next"]

    assert found == ["P1", "P2", "P4", "P5", "P7", "P8", "P0", "P3", "P6"]


def test_table_has_a_row_an_eye_in_the_columns_of_score(
    client: httpx.Client, database: Database, three_eyes: None
) -> None:
    answer = client.get("/v1/predictions.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    wanted = client.get("/v1/predictions/p003").json()

    assert answer.headers["content-type"] == "text/csv"
    assert tuple(rows[0])[: len(COLUMNS)] == COLUMNS
    assert [row["eye_id"] for row in rows] == ["p004", "p003", "p002", "p001"]
    field = [float(rows[1][f"s{n}"]) for n in range(1, 53)]
    assert field == pytest.approx(wanted["sensitivities"], abs=1e-3)
    assert float(rows[1]["mean_deviation_db"]) == pytest.approx(
        wanted["indices"]["mean_deviation"], abs=1e-3
    )
    assert rows[1]["estimated_severity"] == "severe"
    assert (rows[0]["reasons"], rows[0]["s1"]) == ("signal_too_low", "")
    assert {row["estimated"] for row in rows} == {"True"}


def test_field_of_an_eye_without_an_age_is_in_the_table(
    client: httpx.Client, database: Database
) -> None:
    _keep(database, _numbered(1, age_years=None, deviations=None))

    [row] = csv.DictReader(io.StringIO(client.get("/v1/predictions.csv").text, newline=""))

    assert float(row["s1"]) > 0
    assert (row["mean_deviation_db"], row["estimated_severity"], row["age_years"]) == ("", "", "")


def test_filters_and_accept_choose_the_table(client: httpx.Client, three_eyes: None) -> None:
    named = client.get("/v1/predictions.csv", params={"severity": "severe"})
    preferred = client.get(
        "/v1/predictions", params={"severity": "severe"}, headers={"Accept": "text/csv"}
    )
    both = {"Accept": "application/json, text/csv;q=0.5"}

    assert preferred.text == named.text
    assert len(named.text.splitlines()) == 2
    assert client.get("/v1/predictions", headers=both).json()["next"] is None
    assert client.get("/v1/predictions", headers={"Accept": "*/*"}).json()["next"] is None


def test_parquet_holds_the_same(client: httpx.Client, three_eyes: None) -> None:
    answer = client.get("/v1/predictions", headers={"Accept": "application/vnd.apache.parquet"})
    table = pyarrow.parquet.read_table(io.BytesIO(answer.content))
    rows = table.to_pylist()

    assert tuple(table.column_names) == EXPORT_COLUMNS
    assert [row["eye_id"] for row in rows] == ["p004", "p003", "p002", "p001"]
    assert rows[0]["s1"] is None
    assert rows[1]["s1"] == pytest.approx(
        client.get("/v1/predictions/p003").json()["sensitivities"][0], abs=1e-3
    )
    assert rows[1]["estimated"] is True


def test_parquet_without_its_library_says_what_to_install(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a node without the extra: the import finds nothing.
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    for answer in (
        client.get("/v1/predictions.parquet"),
        client.get("/v1/predictions", headers={"Accept": "application/vnd.apache.parquet"}),
    ):
        assert answer.status_code == 501
        assert answer.json()["type"] == "urn:arcuate:problem:parquet-unavailable"
        assert "`parquet`" in answer.json()["detail"]


def test_text_that_a_spreadsheet_would_run_is_neutral_in_csv(
    client: httpx.Client, database: Database
) -> None:
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x","y")', "＝1"]
    _keep(
        database,
        *(
            _numbered(n, patient=PatientIdentity(text, "=A"), device=Device(text, text, text))
            for n, text in enumerate(evil)
        ),
    )

    rows = list(csv.DictReader(io.StringIO(client.get("/v1/predictions.csv").text, newline="")))

    assert [row["patient_id"] for row in reversed(rows)] == [f"'{text}" for text in evil]
    assert {row["issuer"] for row in rows} == {"'=A"}
    assert all(row["device_model"].startswith("'") for row in rows)
    # A negative number stays one.
    assert float(rows[0]["mean_deviation_db"]) < 0


def test_rejected_result_gives_a_table_no_numbers(
    client: httpx.Client, database: Database, three_eyes: None
) -> None:
    draft = ReviewDraft(ReviewDecision.REJECT, "clinician", "Wrong scan")
    with database.transaction() as session:
        record_review(session, "p003", draft, utc_now())

    rows = list(csv.DictReader(io.StringIO(client.get("/v1/predictions.csv").text, newline="")))

    assert (rows[1]["eye_id"], rows[1]["review"], rows[1]["s1"]) == ("p003", "reject", "")
    assert (rows[1]["mean_deviation_db"], rows[1]["estimated_severity"]) == ("", "")
    assert rows[2]["s1"] != ""


def test_forged_cursors_are_refused(client: httpx.Client, database: Database) -> None:
    forged = ["zz", "W10", "WyJwcmVkaWN0aW9ucyIsICIyMDI2IiwgInAiXQ", "bnVsbA", "💥"]
    answers = [
        client.get(path, params={"cursor": cursor, **more})
        for path, more in (
            ("/v1/predictions", {}),
            ("/v1/patients", {"name": "a"}),
            ("/v1/studies", {}),
        )
        for cursor in forged
    ]

    assert {answer.status_code for answer in answers} == {400}
    assert {answer.json()["errors"][0]["parameter"] for answer in answers} == {"cursor"}
