from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import numpy as np
import pytest

from core.clock import utc_now
from core.database import Database
from core.measured_fields import Origin, record_measured_field
from core.reviews import record_review
from core.settings import Settings
from core.tables.columns import key_of
from core.values.identity import PatientIdentity
from core.values.laterality import Laterality
from core.values.measured_field import FieldSource
from core.values.prediction import ESTIMATE_NOTICE, PredictionStatus
from core.values.review import ReviewDecision, ReviewDraft
from core.values.scan import Device
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_patient
from tests.builders.visits import FIVE_DB, PATIENT, build_measured_field, keep_visit, keep_visits
from tests.fixtures.http_server import http_server

_TREND = "/v1/patients/P-0001/eyes/R/trend"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    storage = Storage(settings.storage)
    with (
        http_server(settings, database, storage) as url,
        httpx.Client(timeout=60, base_url=url) as opened,
    ):
        yield opened


def test_trend_tells_points_runs_changes_and_slopes(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        names = keep_visits(session)
        later = datetime(2024, 3, 4, tzinfo=UTC)
        keep_visit(session, "other device", later, -9.0, device=Device("Maker", "Scanner", "SN-9"))
        refused = {"status": PredictionStatus.NOT_ASSESSABLE}
        keep_visit(session, "refused", later.replace(month=9), None, **refused)
        keep_visit(session, "rejected", later.replace(month=10), -30.0)
        draft = ReviewDraft(ReviewDecision.REJECT, "clinician", "eye moved")
        record_review(session, "rejected", draft, utc_now())
        key = key_of(keep_patient(session, PATIENT))
        field = build_measured_field(mean_deviation_db=-1.5)
        record_measured_field(session, field, Origin(key, FieldSource.CSV, "k"), utc_now())

    trend = client.get(_TREND).json()

    assert (trend["patient"]["patient_id"], trend["laterality"]) == ("P-0001", "R")
    assert (trend["estimated"], trend["notice"]) == (True, ESTIMATE_NOTICE)
    assert [(p["prediction_id"], p["place"], p["run"]) for p in trend["points"]] == [
        *((name, "counted", 1) for name in names),
        ("other device", "counted", 2),
        ("refused", "not_assessable", None),
        ("rejected", "withheld", None),
    ]
    assert trend["points"][6]["reasons"] == ["signal_too_low"]
    first, second = trend["runs"]
    line = first["lines"]["mean_deviation"]
    assert line["slope_per_year"] == pytest.approx(np.polyfit(range(5), FIVE_DB, 1)[0], rel=1e-3)
    assert line["lower_per_year"] < line["slope_per_year"] < line["upper_per_year"]
    assert (line["unit"], line["visits"], line["no_slope"]) == ("dB", 5, None)
    assert first["lines"]["TI"]["unit"] == "µm"
    assert second["lines"]["mean_deviation"]["no_slope"] == "too_few_visits"
    assert second["lines"]["mean_deviation"]["slope_per_year"] is None
    assert (first["scan_kind"], second["scan_kind"]) == ("circle", "circle")
    [change] = trend["changes"]
    assert (change["at"], change["device"]["serial_number"]) == ("2024-03-04T00:00:00Z", "SN-9")
    assert (change["model"], change["scan_kind"]) == (None, None)
    [measured] = trend["measured_fields"]
    assert measured["mean_deviation"] == pytest.approx(0.0, abs=0.01)
    assert measured["device_mean_deviation"] == -1.5
    assert trend["is_cut"] is False


def test_eye_without_results_has_an_empty_trend(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        keep_visits(session, laterality=Laterality.LEFT)

    trend = client.get(_TREND).json()

    assert (trend["points"], trend["runs"], trend["changes"]) == ([], [], [])


def test_patient_is_never_guessed(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        keep_visits(session)
        keep_visits(session, PatientIdentity("P-0001", "Elsewhere"), values_db=(-1.0,))

    ambiguous = client.get(_TREND)
    named = client.get(_TREND, params={"issuer": "Elsewhere"})

    assert (ambiguous.status_code, ambiguous.json()["issuers"]) == (409, ["Clinic", "Elsewhere"])
    assert len(named.json()["points"]) == 1
    assert client.get("/v1/patients/nobody/eyes/R/trend").status_code == 404


@pytest.mark.parametrize("eye", ["r", "both", "OD"])
def test_an_eye_is_right_or_left(client: httpx.Client, database: Database, eye: str) -> None:
    with database.transaction() as session:
        keep_visits(session, values_db=(-1.0,))

    answer = client.get(f"/v1/patients/P-0001/eyes/{eye}/trend")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "laterality"


def test_identifier_with_slashes_is_the_patient_s(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        keep_visits(session, PatientIdentity("a/eyes/R/trend"), values_db=(-1.0,))

    trend = client.get("/v1/patients/a/eyes/R/trend/eyes/R/trend").json()

    assert trend["patient"]["patient_id"] == "a/eyes/R/trend"
