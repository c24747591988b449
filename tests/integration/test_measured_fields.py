from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlmodel import select
from typer.testing import CliRunner

from arcuate.cli import app
from core.database import Database
from core.measured_fields import Origin, record_measured_field
from core.perimetry.norms import norm_db
from core.settings import Settings
from core.tables.measured_fields import MeasuredFieldRow
from core.tables.patients import PatientRow
from core.values.identity import PatientIdentity
from core.values.laterality import Laterality
from core.values.measured_field import FieldSource
from dicom_node.measured_fields.opv import read_field
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_patient, keep_prediction
from tests.builders.opv import build_field_db, build_opv
from tests.builders.prediction import Loss, build_prediction
from tests.fixtures.http_server import http_server

_SCANNED_AT = datetime(2011, 1, 15, 10, 15, tzinfo=UTC)


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    storage = Storage(settings.storage)
    with (
        http_server(settings, database, storage) as url,
        httpx.Client(timeout=60, base_url=url) as opened,
    ):
        yield opened


def measure(
    database: Database,
    laterality: Laterality = Laterality.RIGHT,
    *,
    days: float = 10,
    pattern: str = "24-2",
    depth_db: float = 0,
    patient: PatientIdentity | None = None,
) -> int:
    """Record a field that was measured so many days after the scan; return its id."""
    at = (_SCANNED_AT + timedelta(days=days)).replace(tzinfo=None)
    dataset = build_opv(
        laterality,
        sensitivities_db=build_field_db(depth_db),
        pattern=pattern,
        tested_at=at,
        TimezoneOffsetFromUTC="+0000",
    )
    with database.transaction() as session:
        row = keep_patient(session, patient or build_prediction().patient)
        assert row.id is not None
        key = f"{laterality}{days}{pattern}{depth_db}"
        origin = Origin(row.id, FieldSource.OPV, key)
        assert record_measured_field(session, read_field(dataset), origin, _SCANNED_AT)
        [number] = session.exec(
            select(MeasuredFieldRow.id).where(MeasuredFieldRow.source_key == key)
        )
        assert number is not None
        return number


def keep(database: Database, **changes: Any) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1", **changes))


def agreement(client: httpx.Client) -> Any:
    return client.get("/v1/predictions/p1").json()["agreement"]


@pytest.mark.parametrize(("laterality", "sign"), [(Laterality.RIGHT, 1), (Laterality.LEFT, -1)])
def test_measured_field_of_a_patient_has_its_places_as_the_patient_sees_them(
    client: httpx.Client, database: Database, laterality: Laterality, sign: int
) -> None:
    number = measure(database, laterality, depth_db=9)

    (item,) = client.get("/v1/patients/P-0001/measured-fields").json()["items"]

    assert item == client.get(f"/v1/measured-fields/{number}").json()
    assert (item["measured"], item["laterality"], item["pattern"]) == (True, laterality, "24-2")
    np.testing.assert_allclose(item["sensitivities"], build_field_db(9), atol=1e-3)
    places = {(point["x"], point["y"]): point for point in item["points"]}
    assert places[(sign * -27, 3)]["sensitivity"] == pytest.approx(item["sensitivities"][18])
    assert places[(sign * 15, 3)]["seen"] is False
    assert item["indices"] == {
        "mean_deviation": -4.25,
        "pattern_standard_deviation": 3.5,
        "visual_field_index": 88,
        "glaucoma_hemifield_test": "Outside normal limits",
    }
    assert item["reliability"]["fixation_losses"] == 2
    assert item["measured_at"] == "2011-01-25T10:15:00Z"


def test_list_narrows_by_eye_and_pattern_and_pages(
    client: httpx.Client, database: Database
) -> None:
    ids = [
        measure(database, Laterality.RIGHT),
        measure(database, Laterality.LEFT),
        measure(database, Laterality.RIGHT, pattern="10-2"),
    ]

    def found(**parameters: Any) -> list[int]:
        answer = client.get("/v1/patients/P-0001/measured-fields", params=parameters).json()
        return [item["id"] for item in answer["items"]]

    assert found() == ids[::-1]
    assert found(laterality="L") == [ids[1]]
    assert found(pattern="10-2") == [ids[2]]
    first = client.get("/v1/patients/P-0001/measured-fields?limit=2").json()
    assert found(cursor=first["next"]) == ids[:1]


def test_other_hospitals_patient_is_another(client: httpx.Client, database: Database) -> None:
    measure(database)
    measure(database, days=1, patient=PatientIdentity("P-0001", "Elsewhere"))

    assert client.get("/v1/patients/P-0001/measured-fields").status_code == 409
    answer = client.get("/v1/patients/P-0001/measured-fields?issuer=Elsewhere").json()
    assert len(answer["items"]) == 1
    keep(database)
    assert agreement(client)["days_after_scan"] == 10


_WRONG = {
    "/v1/patients/nobody/measured-fields": 404,
    "/v1/measured-fields/77": 404,
    "/v1/measured-fields/0": 422,
    "/v1/measured-fields/99999999999999999999": 422,
    "/v1/patients/P-0001/measured-fields?pattern=25-2": 422,
    "/v1/patients/P-0001/measured-fields?laterality=B": 422,
    "/v1/patients/P-0001/measured-fields?cursor=x": 400,
}


def test_what_is_not_there_or_wrong_is_told(client: httpx.Client, database: Database) -> None:
    measure(database)

    answers = {path: client.get(path) for path in _WRONG}

    assert {path: answer.status_code for path, answer in answers.items()} == _WRONG
    kinds = {answer.headers["content-type"] for answer in answers.values()}
    assert kinds == {"application/problem+json"}


@pytest.mark.parametrize("laterality", Laterality)
def test_estimate_is_compared_point_by_point(
    client: httpx.Client, database: Database, laterality: Laterality
) -> None:
    number = measure(database, laterality, depth_db=5)
    prediction = build_prediction(laterality=laterality, loss=Loss.ARCUATE)
    keep(database, laterality=laterality, loss=Loss.ARCUATE)

    found = agreement(client)

    assert prediction.estimate is not None
    difference = prediction.estimate.sensitivities_db - build_field_db(5)
    np.testing.assert_allclose(found.pop("differences"), difference, atol=1e-3)
    baseline = np.abs(norm_db(52.9) - build_field_db(5)).mean()
    assert found.pop("mean_deviation_difference") is not None
    assert found == {
        "measured_field": f"/v1/measured-fields/{number}",
        "measured_at": "2011-01-25T10:15:00Z",
        "days_after_scan": 10,
        "pattern": "24-2",
        "points": 52,
        "mean_absolute_error": pytest.approx(np.abs(difference).mean(), abs=1e-3),
        "mean_difference": pytest.approx(difference.mean(), abs=1e-3),
        "baseline_mean_absolute_error": pytest.approx(baseline, abs=1e-3),
        "device_mean_deviation": -4.25,
    }


def test_nearest_whole_field_of_the_same_eye_counts(
    client: httpx.Client, database: Database
) -> None:
    keep(database)
    measure(database, days=300)
    measure(database, days=-40)
    measure(database, Laterality.LEFT, days=0)
    measure(database, days=1, pattern="10-2")
    measure(database, days=2, patient=PatientIdentity("P-0002", "Clinic"))

    assert agreement(client)["days_after_scan"] == -40


def test_field_that_lies_too_far_away_is_not_compared(
    client: httpx.Client, database: Database
) -> None:
    keep(database)
    measure(database, days=400)

    assert agreement(client) is None


@pytest.mark.parametrize("year", [1, 9999])
def test_scan_of_an_impossible_year_is_shown_all_the_same(
    client: httpx.Client, database: Database, year: int
) -> None:
    """Devices that know no date write such ones."""
    keep(database, acquired_at=datetime(year, 6, 1, tzinfo=UTC))
    measure(database)

    answer = client.get("/v1/predictions/p1")

    assert (answer.status_code, answer.json()["agreement"]) == (200, None)


def test_scan_without_an_estimate_or_time_is_compared_with_nothing(
    client: httpx.Client, database: Database
) -> None:
    keep(database, acquired_at=None)
    measure(database)

    assert agreement(client) is None
    assert "Beside a measured field" not in client.get("/predictions/p1").text


def test_page_shows_both_fields(client: httpx.Client, database: Database) -> None:
    keep(database)
    measure(database, days=-1)

    page = client.get("/predictions/p1", headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert "Beside a measured field" in page.text
    assert "1 day before" in page.text


# The file of public fields, as their owners publish it.


@pytest.fixture
def uwhvf(shared_data: Path) -> Path:
    return shared_data / "perimetry-uwhvf" / "small_UWHVF.csv"


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("home", "database_url", "auth"):
        monkeypatch.setenv(f"ARCUATE_{name.upper()}", str(getattr(settings, name)))
    return lambda *words: CliRunner().invoke(app, list(words))


def test_public_fields_are_imported_to_the_patients_they_name(
    run: Any, client: httpx.Client, database: Database, uwhvf: Path
) -> None:
    with database.transaction() as session:
        for patient in ("647", "2975", "858"):
            keep_patient(session, PatientIdentity(patient, None, "", date(1950, 1, 1)))

    first, again = (run("import-fields", str(uwhvf)) for _ in range(2))

    # The fourth patient of the file is none of ours.
    assert "11 recorded, 0 known before, 1 refused." in first.output
    assert "line 5: REFUSED  no patient is kept under this PatID yet" in first.output
    assert "0 recorded, 11 known before, 1 refused." in again.output
    assert (first.exit_code, again.exit_code) == (1, 1)
    items = client.get("/v1/patients/647/measured-fields?laterality=L").json()["items"]
    assert [item["source"] for item in items] == ["csv", "csv"]
    # Left eyes are in right-eye order in the file: the nasal places are at +27 to the patient.
    left = items[1]
    places = {(point["x"], point["y"]): point["sensitivity"] for point in left["points"]}
    assert (places[(27, 3)], places[(27, -3)]) == (8.21, 8.2)
    assert left["sensitivities"][:2] == [19.65, 19.88]
    assert places[(9, 21)] == 19.65
    assert left["age_years"] == 66.8063
    assert left["measured_at"].startswith("2016-10-2")
    assert left["indices"]["mean_deviation"] is None


def test_lines_that_cannot_be_used_say_why_and_harm_no_other(
    run: Any, database: Database, tmp_path: Path
) -> None:
    with database.transaction() as session:
        keep_patient(session, PatientIdentity("P1", "A"))
        keep_patient(session, PatientIdentity("P2", "A"))
        keep_patient(session, PatientIdentity("P2", "B"))
    header = ["PatID", "Eye", "Date", *(f"Sens_{n}" for n in range(1, 55))]
    good = ["20"] * 54
    lines = [
        ["P1", "OD", "2024-02-03", *good],
        ["P1", "OD", "2024-02-31", *good],
        ["P1", "OD", "0001-01-01", *good],
        ["P1", "Both", "2024-02-03", *good],
        ["P1", "OS", "2024-02-03", "many", *good[1:]],
        ["P1", "OS", "2024-02-03", "400", *good[1:]],
        ["P2", "OS", "2024-02-03", *good],
        ["P1", "OS", "2024-02-03", "<0", *good[1:]],
        ["P1", "OS", ""],
    ]
    path = tmp_path / "fields.csv"
    path.write_text("\n".join(",".join(line) for line in [header, *lines]))

    result = run("import-fields", str(path))

    assert [line for line in result.output.splitlines() if "REFUSED" in line] == [
        "line 3: REFUSED  Date must be YYYY-MM-DD",
        "line 4: REFUSED  Date is not of these centuries",
        "line 5: REFUSED  Eye must be Right or Left",
        "line 6: REFUSED  Sens_1 is no number",
        "line 7: REFUSED  Sens_1 is above 60 dB",
        "line 8: REFUSED  several issuers use this PatID: name one with --issuer",
    ]
    with database.reading() as session:
        rows = session.exec(select(MeasuredFieldRow).order_by(MeasuredFieldRow.id)).all()
    assert [(row.laterality, row.sensitivities_db is None) for row in rows] == [
        ("R", False),
        ("L", False),
        ("L", True),
    ]
    assert rows[1].sensitivities_db is not None
    assert (rows[1].sensitivities_db[0], rows[1].points[0]["is_seen"]) == (0, False)
    with database.reading() as session:
        assert len(session.exec(select(PatientRow)).all()) == 3


def test_age_that_no_patient_has_is_refused(run: Any, database: Database, tmp_path: Path) -> None:
    with database.transaction() as session:
        keep_patient(session, PatientIdentity("P1", birth_date=date(1950, 1, 1)))
    header = ["PatID", "Eye", "Age", *(f"Sens_{n}" for n in range(1, 55))]
    path = tmp_path / "fields.csv"
    line = ["P1", "OD", "1e9", *["20"] * 54]
    path.write_text("\n".join(",".join(one) for one in (header, line)))

    result = run("import-fields", str(path))

    assert "line 2: REFUSED  Age is not between 0 and 120 years" in result.output


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "\xff\xfe"])
def test_other_file_is_refused(run: Any, tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.csv"
    path.write_bytes(content.encode("latin-1"))

    result = run("import-fields", str(path))

    assert type(result.exception).__name__ == "FieldsUnreadable"
