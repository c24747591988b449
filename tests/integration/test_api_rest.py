from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest

from core.database import Database
from core.ledger import enqueue
from core.predictions import record_prediction
from core.settings import Settings
from core.tables.instances import InstanceOutcome, RemovalReason
from core.tables.jobs import JobKind
from core.tables.peers import PeerRow, RefusedCallerRow
from core.tables.predictions import PredictionRow
from core.tables.quarantine import QuarantineRow
from core.tables.reports import ReportRow
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import (
    ESTIMATE_NOTICE,
    FUNDUS_NOTICE,
    ModelIdentity,
    Prediction,
    PredictionStatus,
)
from dicom_node.storage.bytes import Storage
from tests.builders.archive import RECEIVED_AT, keep_instance, keep_patient, keep_prediction
from tests.builders.prediction import (
    POINTS_DEGREE,
    Loss,
    build_fundus_prediction,
    build_prediction,
)
from tests.fixtures.http_server import http_server

_SEEN = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return Storage(settings.storage)


@pytest.fixture
def client(settings: Settings, database: Database, storage: Storage) -> Iterator[httpx.Client]:
    with (
        http_server(settings, database, storage) as url,
        httpx.Client(timeout=60, base_url=url) as opened,
    ):
        yield opened


def _keep(database: Database, *predictions: Prediction, preview_key: str | None = None) -> None:
    with database.transaction() as session:
        for prediction in predictions:
            keep_prediction(session, prediction, preview_key)


def _numbered(number: int, **changes: Any) -> Prediction:
    """A prediction of its own instance, series and study, one second after the one before."""
    values: dict[str, Any] = {
        "prediction_id": f"p{number:03d}",
        "source": InstanceIdentity(f"1.2.{number}", f"1.3.{number}", f"1.4.{number}", f"A{number}"),
        "predicted_at": datetime(2026, 3, 4, 9, 30, number, tzinfo=UTC),
    }
    return build_prediction(**{**values, **changes})


def _ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_prediction_has_the_shape_of_the_contract(client: httpx.Client, database: Database) -> None:
    prediction = build_prediction(prediction_id="p1")
    _keep(database, prediction)
    assert prediction.estimate is not None
    assert prediction.deviations is not None

    answer = client.get("/v1/predictions/p1").json()

    points, rnfl = answer.pop("points"), answer.pop("rnfl")
    indices, sensitivities = answer.pop("indices"), answer.pop("sensitivities")
    assert answer == {
        "id": "p1",
        "status": "final",
        "estimated": True,
        "notice": ESTIMATE_NOTICE,
        "patient": {
            "patient_id": "P-0001",
            "issuer": "Clinic",
            "name": "Sample^Eye",
            "birth_date": "1958-03-01",
            "sex": "F",
            "age_years": 52.9,
        },
        "study_instance_uid": "2.25.101",
        "series_instance_uid": "2.25.102",
        "sop_instance_uid": "2.25.103",
        "accession_number": "ACC0001",
        "laterality": "R",
        "acquired_at": "2011-01-15T10:15:00Z",
        "received_at": "2026-03-04T09:30:00Z",
        "predicted_at": "2026-03-04T09:30:01.250000Z",
        "device": {"manufacturer": "Maker", "model": "Scanner", "serial_number": "SN-1"},
        "model": {
            "name": "retinervenet",
            "version": "1.0.0",
            "digest": "sha256:" + "0123456789abcdef" * 4,
        },
        "scan_kind": "circle",
        "notes": [],
        "pattern": "24-2",
        "unit": "dB",
        "quality": {"assessable": True, "score": 0.93, "reasons": []},
        "reasons": [],
        "review": None,
        "review_requested": None,
        "agreement": None,
        "supersedes": None,
        "superseded_by": None,
        "links": {
            "self": "/v1/predictions/p1",
            "report": "/v1/predictions/p1/report.dcm",
            "pdf": "/v1/predictions/p1/report.pdf",
            "fhir": "/v1/predictions/p1/report.fhir.json",
            "png": "/v1/predictions/p1/report.png",
            "svg": "/v1/predictions/p1/report.svg",
            "points": "/v1/predictions/p1/points.csv",
            "bscan": None,
            "fundus": None,
            "page": "/predictions/p1",
            "study": "/v1/studies/2.25.101",
        },
    }
    estimate, deviations = prediction.estimate, prediction.deviations
    np.testing.assert_allclose(sensitivities, estimate.sensitivities_db, atol=1e-4)
    assert [p["location"] for p in points] == [n for n in range(1, 55) if n not in {26, 35}]
    assert [(p["x"], p["y"]) for p in points] == list(POINTS_DEGREE)
    for name, values in (
        ("sensitivity", estimate.sensitivities_db),
        ("lower", estimate.lower_db),
        ("upper", estimate.upper_db),
        ("total_deviation", deviations.total_deviation_db),
        ("pattern_deviation", deviations.pattern_deviation_db),
    ):
        np.testing.assert_allclose([p[name] for p in points], values, atol=1e-4)
    assert indices == {
        "mean_sensitivity": pytest.approx(deviations.mean_sensitivity_db, abs=1e-4),
        "mean_deviation": pytest.approx(deviations.mean_deviation_db, abs=1e-4),
        "pattern_standard_deviation": pytest.approx(
            deviations.pattern_standard_deviation_db, abs=1e-4
        ),
        "estimated_severity": "early",
    }
    assert list(rnfl["sectors_um"]) == ["T", "TS", "NS", "N", "NI", "TI"]
    np.testing.assert_allclose(rnfl["profile_um"], prediction.thickness_um, atol=1e-4)
    assert rnfl["mean_um"] == pytest.approx(np.mean(prediction.thickness_um), abs=1e-3)


def test_left_eye_has_mirrored_places_and_the_same_order(
    client: httpx.Client, database: Database
) -> None:
    left = build_prediction(prediction_id="l", laterality=Laterality.LEFT, loss=Loss.ARCUATE)
    right = _numbered(1, prediction_id="r", loss=Loss.ARCUATE)
    _keep(database, left, right)

    of_left = client.get("/v1/predictions/l").json()
    of_right = client.get("/v1/predictions/r").json()

    assert of_left["laterality"] == "L"
    assert of_left["sensitivities"] == of_right["sensitivities"]
    assert [(p["x"], p["y"]) for p in of_left["points"]] == [(-x, y) for x, y in POINTS_DEGREE]
    assert [p["sensitivity"] for p in of_left["points"]] == of_left["sensitivities"]


def test_scan_without_an_estimate_says_why_and_has_no_numbers(
    client: httpx.Client, database: Database
) -> None:
    _keep(
        database,
        build_prediction(
            prediction_id="p1", status=PredictionStatus.NOT_ASSESSABLE, laterality=None
        ),
    )

    answer = client.get("/v1/predictions/p1").json()

    reasons = [
        {
            "code": "signal_too_low",
            "message": "The signal is 9 dB; below 15 dB no field is estimated.",
        }
    ]
    assert answer["status"] == "not_assessable"
    assert answer["estimated"] is True
    assert answer["laterality"] is None
    assert answer["reasons"] == reasons
    assert answer["quality"] == {"assessable": False, "score": 0.93, "reasons": reasons}
    assert (answer["sensitivities"], answer["points"], answer["indices"]) == (None, None, None)


def test_missing_samples_are_null(client: httpx.Client, database: Database) -> None:
    thickness = np.full(768, 100, np.float32)
    thickness[3] = np.nan
    _keep(database, build_prediction(prediction_id="p1", thickness_um=thickness))

    answer = client.get("/v1/predictions/p1")

    assert answer.json()["rnfl"]["profile_um"][2:5] == [100.0, None, 100.0]
    assert "NaN" not in answer.text


def test_prediction_names_what_it_replaced(client: httpx.Client, database: Database) -> None:
    newer_model = ModelIdentity("retinervenet", "2.0.0", "sha256:" + "ff" * 32)
    with database.transaction() as session:
        old = _numbered(1, prediction_id="old")
        instance = keep_prediction(session, old)
        assert instance.id is not None
        new = _numbered(2, prediction_id="new", source=old.source, model=newer_model)
        record_prediction(session, new, instance.id, None)
        session.flush()
        row = session.get_one(PredictionRow, "old")
        row.status, row.superseded_by = PredictionStatus.SUPERSEDED, "new"

    assert client.get("/v1/predictions/new").json()["supersedes"] == "old"
    assert client.get("/v1/predictions/old").json()["superseded_by"] == "new"
    assert _ids(client.get("/v1/predictions", params={"status": "superseded"})) == ["old"]
    assert _ids(client.get("/v1/predictions", params={"model": "retinervenet:2.0.0"})) == ["new"]


_FILTERS: list[tuple[dict[str, str], list[str]]] = [
    ({}, ["p003", "p002", "p001"]),
    ({"patient_id": "P1"}, ["p002", "p001"]),
    ({"patient_id": "P1", "issuer": "B"}, ["p002"]),
    ({"study_uid": "1.2.3"}, ["p003"]),
    ({"accession_number": "A2"}, ["p002"]),
    ({"laterality": "L"}, ["p002"]),
    ({"status": "not_assessable"}, ["p003"]),
    ({"model": "retinervenet"}, ["p003", "p002", "p001"]),
    ({"model": "retinervenet:9"}, []),
    ({"model": "other"}, []),
    ({"acquired_from": "2012-01-01"}, ["p003", "p002"]),
    ({"acquired_to": "2012-05-06T07:08:09Z"}, ["p002", "p001"]),
    ({"acquired_from": "2012-05-06T07:08:10Z"}, ["p003"]),
    ({"mean_deviation_max": "-3"}, ["p002"]),
    ({"laterality": "R", "acquired_to": "2011-12-31"}, ["p001"]),
]


def test_search_narrows_by_every_filter(client: httpx.Client, database: Database) -> None:
    _keep(
        database,
        _numbered(1, patient=PatientIdentity("P1", "A")),
        _numbered(
            2,
            patient=PatientIdentity("P1", "B"),
            laterality=Laterality.LEFT,
            loss=Loss.ARCUATE,
            acquired_at=datetime(2012, 5, 6, 7, 8, 9, tzinfo=UTC),
        ),
        _numbered(
            3,
            patient=PatientIdentity("P2", "A"),
            status=PredictionStatus.NOT_ASSESSABLE,
            acquired_at=datetime(2013, 1, 1, tzinfo=UTC),
        ),
    )

    found = [(f, _ids(client.get("/v1/predictions", params=f))) for f, _ in _FILTERS]

    assert found == _FILTERS


def test_whole_last_day_counts(client: httpx.Client, database: Database) -> None:
    evening = datetime(2012, 5, 6, 23, 59, 59).astimezone()
    next_day = datetime(2012, 5, 7).astimezone()
    _keep(database, _numbered(1, acquired_at=evening), _numbered(2, acquired_at=next_day))

    found = client.get(
        "/v1/predictions", params={"acquired_from": "2012-05-06", "acquired_to": "2012-05-06"}
    )

    assert _ids(found) == ["p001"]


def test_patient_that_two_issuers_share_is_never_guessed(
    client: httpx.Client, database: Database
) -> None:
    _keep(
        database,
        _numbered(1, patient=PatientIdentity("P1", "A", "One^Eye", date(1950, 1, 1), "M")),
        _numbered(2, patient=PatientIdentity("P1", None, "Two^Eye")),
    )

    for path in ("/v1/patients/P1", "/v1/patients/P1/predictions"):
        refused = client.get(path)
        assert refused.status_code == 409
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["type"] == "urn:arcuate:problem:ambiguous-patient"
        assert refused.json()["issuers"] == ["", "A"]
        assert "P1" not in refused.text

    assert client.get("/v1/patients/P1", params={"issuer": "A"}).json() == {
        "patient_id": "P1",
        "issuer": "A",
        "name": "One^Eye",
        "birth_date": "1950-01-01",
        "sex": "M",
        "former_ids": [],
        "note": None,
        "links": {
            "predictions": "/v1/patients/P1/predictions?issuer=A",
            "studies": "/v1/studies?patient_id=P1&issuer=A",
            "history": "/v1/patients/P1/history?issuer=A",
        },
    }
    assert client.get("/v1/patients/P1", params={"issuer": ""}).json()["name"] == "Two^Eye"
    assert _ids(client.get("/v1/patients/P1/predictions", params={"issuer": "A"})) == ["p001"]


def test_patient_is_found_by_any_identifier(client: httpx.Client, database: Database) -> None:
    patient_ids = ["12/345", "a b", "Ö-1", "100%", "x?y#z", "a/predictions"]
    _keep(
        database,
        *(_numbered(n, patient=PatientIdentity(each)) for n, each in enumerate(patient_ids)),
    )

    paths = [f"/v1/patients/{quote(each, safe='')}/predictions" for each in patient_ids]
    pages = [client.get("/v1/patients", params={"patient_id": each}) for each in patient_ids]

    assert [_ids(client.get(path)) for path in paths] == [[f"p{n:03d}"] for n in range(6)]
    assert [page.json()["items"][0]["patient_id"] for page in pages] == patient_ids


def test_patients_are_searched_by_part_of_the_name(
    client: httpx.Client, database: Database
) -> None:
    expected = {"pub": ["P1"], "IRC": ["P1"], "%": [], "_": [], "o^": ["P2"]}
    with database.transaction() as session:
        keep_patient(session, PatientIdentity("P1", None, "Public^Circle"))
        keep_patient(session, PatientIdentity("P2", None, "Doo^Jane"))

    found = {
        part: [
            patient["patient_id"]
            for patient in client.get("/v1/patients", params={"name": part}).json()["items"]
        ]
        for part in expected
    }

    assert found == expected


def test_study_is_found_by_uid_patient_and_accession_number(
    client: httpx.Client, database: Database
) -> None:
    _keep(
        database,
        _numbered(1, patient=PatientIdentity("P1", "A", "One^Eye")),
        _numbered(2, patient=PatientIdentity("P2")),
    )

    study = client.get("/v1/studies/1.2.1").json()

    assert study.pop("summary") is None
    assert study == {
        "study_instance_uid": "1.2.1",
        "study_id": "S1",
        "accession_number": "A1",
        "study_date": "2011-01-15",
        "study_time": "101500",
        "study_description": "",
        "received_at": "2026-03-04T09:30:00Z",
        "patient": {
            "patient_id": "P1",
            "issuer": "A",
            "name": "One^Eye",
            "birth_date": None,
            "sex": None,
        },
        "links": {
            "self": "/v1/studies/1.2.1",
            "instances": "/v1/studies/1.2.1/instances",
            "predictions": "/v1/studies/1.2.1/predictions",
            "summary": "/v1/studies/1.2.1/summary",
        },
    }
    for filters in ({"accession_number": "A1"}, {"patient_id": "P1"}, {"issuer": "A"}):
        assert client.get("/v1/studies", params=filters).json() == {"items": [study], "next": None}
    assert _ids(client.get("/v1/studies/1.2.1/predictions")) == ["p001"]


def test_study_lists_what_is_no_model_input(client: httpx.Client, database: Database) -> None:
    prediction = _numbered(1)
    with database.transaction() as session:
        keep_prediction(session, prediction)
        localizer = replace(prediction.source, sop_instance_uid="1.4.99")
        left = keep_instance(
            session, prediction.patient, localizer, outcome=InstanceOutcome.NOT_MODEL_INPUT
        )
        left.outcome_message = "It belongs to an OCT scan."

    instances = client.get("/v1/studies/1.2.1/instances").json()["items"]

    shown = ("sop_instance_uid", "outcome", "outcome_message", "predictions")
    assert [tuple(instance[name] for name in shown) for instance in instances] == [
        ("1.4.1", "predicted", "", ["p001"]),
        ("1.4.99", "not_model_input", "It belongs to an OCT scan.", []),
    ]


def test_result_of_a_photograph_has_no_layer_and_says_that_it_is_weaker(
    client: httpx.Client, database: Database
) -> None:
    _keep(database, build_fundus_prediction(prediction_id="p1"))

    answer = client.get("/v1/predictions/p1").json()

    assert (answer["scan_kind"], answer["rnfl"], answer["estimated"]) == ("fundus", None, True)
    assert answer["notice"] == f"{FUNDUS_NOTICE} {ESTIMATE_NOTICE}"
    assert answer["notes"] == ["The photograph has no Patient Orientation (0020,0020)."]
    assert len(answer["sensitivities"]) == len(answer["points"]) == 52


def test_report_and_picture_come_byte_for_byte_as_kept(
    client: httpx.Client, database: Database, storage: Storage
) -> None:
    storage.put("ab/report.dcm", b"\x00" * 128 + b"DICM...")
    storage.put("previews/ab/scan.png", b"\x89PNG...")
    prediction = _numbered(1)
    with database.transaction() as session:
        keep_prediction(session, prediction, "previews/ab/scan.png")
        report = keep_instance(
            session,
            prediction.patient,
            replace(prediction.source, sop_instance_uid="1.4.2"),
            outcome=InstanceOutcome.REPORT,
            storage_key="ab/report.dcm",
        )
        session.add(ReportRow(prediction_id="p001", kind="sr", instance_key=report.id))

    links = client.get("/v1/predictions/p001").json()["links"]
    report_answer, bscan_answer = client.get(links["report"]), client.get(links["bscan"])

    assert report_answer.content == b"\x00" * 128 + b"DICM..."
    assert report_answer.headers["content-type"] == "application/dicom"
    assert bscan_answer.content == b"\x89PNG..."
    assert bscan_answer.headers["content-type"] == "image/png"


def test_field_is_drawn_as_png_and_svg(client: httpx.Client, database: Database) -> None:
    _keep(database, _numbered(1))

    png, svg = (client.get(f"/v1/predictions/p001/report.{kind}") for kind in ("png", "svg"))

    assert png.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert svg.headers["content-type"] == "image/svg+xml"
    assert "script-src" not in svg.headers["content-security-policy"]
    assert svg.headers["content-security-policy"].startswith("default-src 'none'")


_NOT_KEPT = [
    "/v1/patients/none",
    "/v1/patients/none/predictions",
    "/v1/studies/9.9",
    "/v1/studies/9.9/predictions",
    "/v1/studies/9.9/instances",
    "/v1/predictions/none",
    "/v1/predictions/none/report.dcm",
    "/v1/predictions/none/report.png",
    "/v1/predictions/none/report.pdf",
    "/v1/predictions/none/report.fhir.json",
    "/v1/studies/9.9/summary/report.dcm",
    "/v1/studies/9.9/summary/report.pdf",
    "/v1/predictions/p001/report.dcm",
    "/v1/predictions/p001/bscan.png",
    "/v1/nothing",
]


def test_what_is_not_kept_is_a_problem_document(client: httpx.Client, database: Database) -> None:
    _keep(database, _numbered(1))

    answers = [client.get(path) for path in _NOT_KEPT]

    assert [answer.status_code for answer in answers] == [404] * len(_NOT_KEPT)
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    assert {tuple(answer.json()) for answer in answers} == {("type", "title", "status", "detail")}


def test_operations_are_listed(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        enqueue(session, JobKind.ANALYSE, "1")
        session.add(PeerRow(ae_title="DEVICE1", host="127.0.0.1", added_at=_SEEN))
        session.add(
            RefusedCallerRow(
                calling_ae_title="STRANGER",
                called_ae_title="ARCUATE",
                address="192.0.2.1",
                reason="unknown peer",
                count=3,
                first_seen_at=_SEEN,
                last_seen_at=_SEEN,
            )
        )
        session.add(
            QuarantineRow(
                code="instance_invalid",
                message="It cannot be understood",
                storage_key="ab/x.dcm",
                size_bytes=7,
                digest="ab",
                received_at=_SEEN,
            )
        )

    lists = {
        name: client.get(f"/v1/{name}").json()
        for name in ("jobs", "peers", "callers", "quarantine")
    }

    assert [(job["kind"], job["status"]) for job in lists["jobs"]["items"]] == [
        ("analyse", "queued")
    ]
    assert [(p["ae_title"], p["host"]) for p in lists["peers"]["items"]] == [
        ("DEVICE1", "127.0.0.1")
    ]
    assert [(c["calling_ae_title"], c["count"]) for c in lists["callers"]["items"]] == [
        ("STRANGER", 3)
    ]
    assert [q["code"] for q in lists["quarantine"]["items"]] == ["instance_invalid"]
    assert client.get("/v1/jobs", params={"status": "failed"}).json()["items"] == []


def test_changes_go_on_after_the_last_number(client: httpx.Client, database: Database) -> None:
    _keep(database, *(_numbered(number) for number in range(1, 6)))

    first = client.get("/v1/changes", params={"limit": 3}).json()
    second = client.get("/v1/changes", params={"after": first["next"], "limit": 3}).json()

    changes = first["items"] + second["items"]
    assert [change["number"] for change in changes] == [1, 2, 3, 4, 5]
    assert [change["subject"] for change in changes] == [f"p{n:03d}" for n in range(1, 6)]
    assert {change["kind"] for change in changes} == {"prediction_recorded"}
    assert second["next"] is None


def test_instances_say_when_and_why_their_files_were_removed(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        row = keep_prediction(session, _numbered(1))
        row.bytes_removed_at, row.removal_reason = RECEIVED_AT, RemovalReason.SIZE
        keep_prediction(session, _numbered(2))

    (removed,) = client.get("/v1/studies/1.2.1/instances").json()["items"]
    (kept,) = client.get("/v1/studies/1.2.2/instances").json()["items"]

    assert (removed["bytes_removed_at"], removed["removal_reason"]) == (
        "2026-03-04T09:30:00Z",
        "size",
    )
    assert (kept["bytes_removed_at"], kept["removal_reason"]) == (None, None)


def test_instances_that_wait_are_shown_as_pending(client: httpx.Client, database: Database) -> None:
    prediction = _numbered(1)
    with database.transaction() as session:
        keep_instance(session, prediction.patient, prediction.source)

    (waiting,) = client.get("/v1/studies/1.2.1/instances").json()["items"]

    assert waiting["outcome"] == "pending"
