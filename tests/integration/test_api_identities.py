"""Merging, moving and taking back over HTTP, and who may."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from core.database import Database
from core.keys import Role, create_key
from core.settings import Settings
from core.values.identity import InstanceIdentity, PatientIdentity
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_patient, keep_prediction
from tests.builders.prediction import build_prediction
from tests.fixtures.audit_trail import audited
from tests.fixtures.http_server import http_server

_ONE = PatientIdentity("P/1", "A", "One^Eye", date(1950, 1, 1), "F")
_TWO = PatientIdentity("P2", "A", "One^Eye=一^眼", date(1950, 1, 1), "F")
_WHY = {"reason": "registered twice"}


@pytest.fixture
def locked(settings: Settings) -> Settings:
    return settings.model_copy(update={"auth": "keys"})


@pytest.fixture
def client(locked: Settings, database: Database) -> Iterator[httpx.Client]:
    _keep(database, 1, _ONE)
    _keep(database, 2, _TWO)
    storage = Storage(locked.storage)
    with (
        http_server(locked, database, storage) as url,
        httpx.Client(timeout=60, base_url=url) as opened,
    ):
        _be(opened, database, Role.ADMINISTRATOR)
        yield opened


def _be(client: httpx.Client, database: Database, role: Role) -> None:
    with database.transaction() as session:
        client.headers["X-API-Key"] = create_key(session, f"the {role}", role)


def _keep(database: Database, number: int, patient: PatientIdentity) -> None:
    prediction = build_prediction(
        prediction_id=f"p{number}",
        patient=patient,
        source=InstanceIdentity(f"1.2.{number}", f"1.3.{number}", f"1.4.{number}", f"A{number}"),
    )
    with database.transaction() as session:
        keep_prediction(session, prediction)


def _into(patient_id: str = "P2", **more: Any) -> dict[str, Any]:
    return {"into": {"patient_id": patient_id}, **_WHY, **more}


def _ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_merged_patient_is_found_by_either_id_and_can_be_taken_apart(
    client: httpx.Client,
) -> None:
    merged = client.post("/v1/patients/P%2F1/merge", json=_into())

    assert merged.status_code == 200, merged.text
    change = merged.json()
    assert (change["kind"], change["studies"], change["changed_by"]) == (
        "patients_merged",
        1,
        "the administrator",
    )
    old = client.get("/v1/patients/P%2F1").json()
    assert (old["patient_id"], old["former_ids"]) == (
        "P2",
        [{"patient_id": "P/1", "issuer": "A"}],
    )
    assert "merged" in old["note"]
    assert client.get("/v1/patients/P2").json()["note"] is None
    for path in (
        "/v1/patients/P%2F1/predictions",
        "/v1/patients/P2/predictions",
        "/v1/predictions?patient_id=P/1",
        "/v1/predictions?patient_id=P2",
    ):
        assert sorted(_ids(client.get(path))) == ["p1", "p2"]
    assert client.get("/v1/predictions/p1").json()["patient"]["patient_id"] == "P2"
    names = client.get("/v1/patients", params={"name": "one"}).json()["items"]
    assert [patient["patient_id"] for patient in names] == ["P2"]
    assert len(client.get("/v1/studies", params={"patient_id": "P/1"}).json()["items"]) == 2

    taken_back = client.post(f"/v1/identity-changes/{change['id']}/undo", json=_WHY)

    assert taken_back.json()["undoes"] == change["id"]
    assert _ids(client.get("/v1/patients/P%2F1/predictions")) == ["p1"]
    assert client.get("/v1/patients/P%2F1").json()["note"] is None
    history = client.get("/v1/patients/P2/history").json()["items"]
    assert [(one["kind"], one["undone_by"]) for one in history] == [
        ("undone", None),
        ("patients_merged", taken_back.json()["id"]),
    ]
    assert history[1]["from_patient"]["patient_id"] == "P/1"


def test_records_that_contradict_each_other_are_merged_by_force_only(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        keep_patient(session, PatientIdentity("P3", None, "One^Eye", date(1951, 1, 1), "M"))

    refused = client.post("/v1/patients/P%2F1/merge", json=_into("P3"))
    forced = client.post("/v1/patients/P%2F1/merge", json=_into("P3", force=True))

    assert refused.status_code == 409
    assert refused.json()["conflicts"] == ["sex", "birth_date"]
    assert "1950" not in refused.text
    assert forced.status_code == 200


def test_study_is_moved_to_a_patient_that_is_made_for_it(client: httpx.Client) -> None:
    wanted = {"to": {"patient_id": "NEW", "issuer": "A"}, **_WHY}

    missing = client.post("/v1/studies/1.2.1/move", json=wanted)
    made = client.post("/v1/studies/1.2.1/move", json={**wanted, "create": True})

    assert missing.status_code == 404
    assert made.json()["study_instance_uid"] == "1.2.1"
    assert _ids(client.get("/v1/patients/NEW/predictions")) == ["p1"]
    assert client.get("/v1/patients/NEW").json()["name"] == "One^Eye"
    assert _ids(client.get("/v1/patients/P%2F1/predictions")) == []


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("/v1/patients/P2/merge", _into("P2"), 409),
        ("/v1/patients/none/merge", _into(), 404),
        ("/v1/patients/P2/merge", _into("none"), 404),
        ("/v1/patients/P2/merge", {"into": {"patient_id": "P/1"}, "reason": " "}, 422),
        ("/v1/patients/P2/merge", {"into": {"patient_id": "P/1"}}, 422),
        ("/v1/studies/9.9/move", {"to": {"patient_id": "P2"}, **_WHY}, 404),
        ("/v1/studies/1.2.2/move", {"to": {"patient_id": "P2"}, **_WHY}, 409),
        ("/v1/identity-changes/99/undo", _WHY, 404),
    ],
)
def test_what_cannot_be_corrected_is_refused(
    client: httpx.Client, path: str, content: dict[str, Any], status: int
) -> None:
    answer = client.post(path, json=content)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_later_corrections_are_taken_back_first(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        keep_patient(session, PatientIdentity("P3"))
    first = client.post("/v1/patients/P%2F1/merge", json=_into()).json()["id"]
    second = client.post("/v1/patients/P2/merge", json=_into("P3")).json()["id"]

    early = client.post(f"/v1/identity-changes/{first}/undo", json=_WHY)
    assert early.status_code == 409
    for number in (second, first):
        assert client.post(f"/v1/identity-changes/{number}/undo", json=_WHY).status_code == 200
    again = client.post(f"/v1/identity-changes/{first}/undo", json=_WHY)

    assert again.status_code == 409
    assert _ids(client.get("/v1/patients/P%2F1/predictions")) == ["p1"]
    assert _ids(client.get("/v1/patients/P2/predictions")) == ["p2"]


def test_moves_in_a_circle_are_taken_back_last_first(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        keep_patient(session, PatientIdentity("P3"))
    moves = [
        client.post("/v1/studies/1.2.1/move", json={"to": {"patient_id": to}, **_WHY}).json()["id"]
        for to in ("P2", "P3", "P2")
    ]

    early = client.post(f"/v1/identity-changes/{moves[0]}/undo", json=_WHY)
    in_turn = [
        client.post(f"/v1/identity-changes/{number}/undo", json=_WHY) for number in moves[::-1]
    ]

    assert early.status_code == 409
    assert [answer.status_code for answer in in_turn] == [200, 200, 200]
    assert _ids(client.get("/v1/patients/P%2F1/predictions")) == ["p1"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CLINICIAN, Role.OPERATOR])
def test_only_administrators_correct_identities(
    client: httpx.Client, database: Database, role: Role
) -> None:
    _be(client, database, role)

    answers = [
        client.post("/v1/patients/P%2F1/merge", json=_into()),
        client.post("/v1/studies/1.2.1/move", json={"to": {"patient_id": "P2"}, **_WHY}),
        client.post("/v1/identity-changes/1/undo", json=_WHY),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert client.get("/v1/patients/P2/history").json() == {"items": [], "next": None}


def test_every_correction_is_in_the_audit_trail_with_both_patients(
    client: httpx.Client, database: Database
) -> None:
    merged = client.post("/v1/patients/P%2F1/merge", json=_into()).json()["id"]
    client.post(f"/v1/identity-changes/{merged}/undo", json=_WHY)
    made = {"to": {"patient_id": "NEW"}, "create": True, **_WHY}
    client.post("/v1/studies/1.2.1/move", json=made)

    rows = audited(database)
    own = [row for row in rows if "identity_change" in row.detail]
    assert [(row.detail["correction"], row.patients) for row in own] == [
        ("patients_merged", [1, 2]),
        ("undone", [1, 2]),
        ("study_moved", [1, 3]),
    ]
    assert own[1].detail["undoes"] == merged
    assert {(row.actor, row.action, row.object_kind) for row in own} == {
        ("the administrator", "change", "patient")
    }
    # And the one of each request, once.
    of_requests = [row for row in rows if "route" in row.detail]
    assert [row.patients for row in of_requests] == [[1, 2], [1, 2], [1, 3]]
    for told in ("P/1", "NEW", "registered twice", "One^Eye"):
        assert told not in str([row.model_dump() for row in rows])


def test_refused_correction_leaves_no_entry_of_one_made(
    client: httpx.Client, database: Database
) -> None:
    refused = client.post("/v1/patients/P2/merge", json=_into())

    assert refused.status_code == 409
    [row] = audited(database)
    assert (row.outcome, row.patients) == ("refused", [2])
    assert "identity_change" not in row.detail
