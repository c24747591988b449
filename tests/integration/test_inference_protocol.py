"""The Open Inference Protocol, asked as its clients ask."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from typing import Any

import httpx
import numpy as np
import pytest
from sqlmodel import select

from core.database import Database
from core.keys import Role, create_key
from core.settings import Settings
from core.tables.audit_entries import WaitingAuditRow
from core.tables.tensor_scores import TensorScoreRow
from inference.model_store import ModelStore
from inference.scorer import Scorer
from tests.builders.tensors import build_question
from tests.fixtures.scoring_node import scoring_node

MODEL = "/v2/models/retinervenet"
LENGTH = "Inference-Header-Content-Length"


@pytest.fixture(scope="module")
def database(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("scoring") / "arcuate.db"
    copyfile(sqlite_template, path)
    opened = Database(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def client(database: Database, expected: Scorer) -> Iterator[httpx.Client]:
    """A researcher of a node that scores."""
    home = Path(str(database.url.database)).parent
    settings = Settings(home=home, database_url=str(database.url), http_port=0, device="cpu")
    with database.transaction() as session:
        key = create_key(session, "study", Role.RESEARCHER)
    with (
        scoring_node(settings, database, expected) as url,
        httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=60) as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
def expected() -> Scorer:
    return Scorer.load(ModelStore().load_card("retinervenet"), "cpu")


def tensor(name: str, array: np.ndarray, **more: Any) -> dict[str, Any]:
    return {"name": name, "shape": list(array.shape), "datatype": "FP32", **more}


def question(ages: tuple[float, ...] = (50.0, 70.0)) -> dict[str, Any]:
    asked = build_question(ages)
    profile, age = asked.structure[..., np.newaxis], asked.age_years[:, np.newaxis]
    return {
        "id": "42",
        "inputs": [
            tensor("profile", profile, data=profile.ravel().tolist()),
            tensor("age", age, data=age.tolist()),
        ],
    }


def test_server_says_what_it_is_and_that_it_lives(client: httpx.Client) -> None:
    assert client.get("/v2").json()["extensions"] == ["binary_tensor_data"]
    assert client.get("/v2/health/live", headers={"X-API-Key": ""}).json() == {"live": True}
    assert client.get("/v2/health/ready", headers={"X-API-Key": ""}).json() == {"ready": True}


def test_model_says_what_it_reads_and_gives(client: httpx.Client) -> None:
    by_name = client.get(MODEL).json()
    by_version = client.get(f"{MODEL}/versions/2.1.0").json()

    assert by_name == by_version
    assert by_name["inputs"] == [
        {"name": "profile", "datatype": "FP32", "shape": [-1, 768, 1]},
        {"name": "age", "datatype": "FP32", "shape": [-1, 1]},
    ]
    assert by_name["outputs"] == [
        {"name": "dense_1", "datatype": "FP32", "shape": [-1, 52]},
        {"name": "spread", "datatype": "FP32", "shape": [-1, 52, 2]},
    ]
    assert by_name["parameters"]["estimated"] is True
    assert by_name["parameters"]["digest"].startswith("sha256:")
    assert client.get("/v2/models").json() == {"models": ["fundus_field", "retinervenet"]}
    ready = client.get(f"{MODEL}/versions/2.1.0/ready").json()
    assert ready == {"name": "retinervenet", "ready": True}


def test_tensors_get_the_answer_of_the_model_itself(client: httpx.Client, expected: Scorer) -> None:
    answer = client.post(f"{MODEL}/infer", json=question()).json()

    asked = build_question((50.0, 70.0))
    local = expected.predictor.answer(asked.structure, asked.age_years)
    field, spread = answer["outputs"]
    assert (answer["model_name"], answer["model_version"], answer["id"]) == (
        *("retinervenet", "2.1.0"),
        "42",
    )
    assert answer["parameters"] == {"estimated": True, "unit": "dB"}
    assert (field["name"], field["shape"], field["datatype"]) == ("dense_1", [2, 52], "FP32")
    np.testing.assert_allclose(np.reshape(field["data"], (2, 52)), local.sensitivities_db)
    assert (spread["name"], spread["shape"]) == ("spread", [2, 52, 2])


def test_binary_tensors_go_both_ways(client: httpx.Client) -> None:
    asked = build_question((50.0, 70.0))
    profile, age = asked.structure.astype("<f8"), asked.age_years.astype("<f4")
    head = {
        "inputs": [
            {
                **tensor("profile", profile, parameters={"binary_data_size": profile.nbytes}),
                "datatype": "FP64",
            },
            tensor("age", age, parameters={"binary_data_size": age.nbytes}),
        ],
        "outputs": [{"name": "dense_1", "parameters": {"binary_data": True}}],
    }
    text = json.dumps(head).encode()
    answer = client.post(
        f"{MODEL}/versions/2.1.0/infer",
        content=text + profile.tobytes() + age.tobytes(),
        headers={LENGTH: str(len(text)), "Content-Type": "application/octet-stream"},
    )
    as_text = client.post(f"{MODEL}/infer", json=question()).json()["outputs"][0]

    length = int(answer.headers[LENGTH])
    (told,) = json.loads(answer.content[:length])["outputs"]
    assert told == tensor("dense_1", np.zeros((2, 52)), parameters={"binary_data_size": 416})
    field = np.frombuffer(answer.content[length:], "<f4")
    np.testing.assert_allclose(field, as_text["data"], atol=1e-4)


def _without(name: str) -> dict[str, Any]:
    asked = question()
    return {"inputs": [entry for entry in asked["inputs"] if entry["name"] != name]}


def _changed(index: int, **values: Any) -> dict[str, Any]:
    asked = question()
    asked["inputs"][index].update(values)
    return asked


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        ({}, "check inputs"),
        ({"inputs": []}, "one tensor for each input: profile, age"),
        (_without("age"), "one tensor for each input: profile, age"),
        (_changed(1, name="birthday"), "one tensor for each input: profile, age"),
        (_changed(0, shape=[1, 1536, 1]), r"shape \(eyes, 768, 1\)"),
        (_changed(0, shape=[3, 768, 1]), "not as many values"),
        (_changed(0, data=["a"] * 1536), "no array of numbers"),
        (_changed(0, data=[[1.0], [1.0, 2.0]]), "no array of numbers"),
        (_changed(0, datatype="BYTES"), "datatype"),
        (_changed(0, data=None), "neither `data` nor bytes"),
        (_changed(0, data=None, parameters={"binary_data_size": 8}), "binary_data_size"),
        (_changed(1, data=[60.0, 8.0]), "1 of 2 eyes must not be scored; the first is row 1"),
        ({**question(), "outputs": [{"name": "lungs"}]}, "no other outputs than dense_1"),
    ],
)
def test_bad_tensors_are_refused_with_the_cause(
    client: httpx.Client, asked: dict[str, Any], cause: str
) -> None:
    answer = client.post(f"{MODEL}/infer", json=asked)

    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}
    assert re.search(cause, answer.json()["error"])


def test_a_number_that_is_none_is_refused(client: httpx.Client) -> None:
    asked = question()
    asked["inputs"][0]["data"][3] = float("nan")
    answer = client.post(f"{MODEL}/infer", content=json.dumps(asked))

    assert answer.status_code == 400
    assert "finite" in answer.json()["error"]


def test_unknown_models_and_strangers_are_told_so(client: httpx.Client) -> None:
    unknown = client.post("/v2/models/retinervenet/versions/9.9.9/infer", json=question())
    stranger = client.post(f"{MODEL}/infer", json=question(), headers={"X-API-Key": "wrong"})

    assert (unknown.status_code, set(unknown.json())) == (404, {"error"})
    assert (stranger.status_code, set(stranger.json())) == (401, {"error"})


def test_a_large_body_is_taken_and_a_larger_one_refused(client: httpx.Client) -> None:
    many = client.post(f"{MODEL}/infer", json=question((60.0,) * 64))
    huge = client.post(f"{MODEL}/infer", content=b" " * ((16 << 20) + 1))

    assert many.json()["outputs"][0]["shape"] == [64, 52]
    assert huge.status_code == 413
    assert set(huge.json()) == {"error"}


def test_what_is_refused_before_any_route_is_told_as_the_protocol_does(
    client: httpx.Client,
) -> None:
    endless = client.post(f"{MODEL}/infer", content=iter([b"{}"]))
    nowhere = client.get(f"{MODEL}/lungs")

    assert (endless.status_code, set(endless.json())) == (411, {"error"})
    assert (nowhere.status_code, set(nowhere.json())) == (404, {"error"})


def test_asking_is_audited_with_its_outcome_and_nothing_of_it_stays(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        headers = {"X-API-Key": create_key(session, "audited", Role.VIEWER)}
    client.post(f"{MODEL}/infer", json=question(), headers=headers)
    client.post(f"{MODEL}/infer", json=question((60.0, 8.0)), headers=headers)

    with database.reading() as session:
        kept = session.exec(select(TensorScoreRow)).all()
        entries = session.exec(select(WaitingAuditRow)).all()
    assert kept == []
    assert [
        (entry.detail["route"], entry.action, entry.outcome)
        for entry in entries
        if entry.actor == "audited"
    ] == [
        ("/v2/models/{name}/infer", "read", "success"),
        ("/v2/models/{name}/infer", "read", "refused"),
    ]
