"""IBM's own clients against a node over TLS: the calls they make, and what they get."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import pytest

from api.ibm.deployed import deployed
from api.ibm.identifiers import SPACE_ID, Mode
from arcuate.roles import Role
from arcuate.waiting import wait_until
from core.keys import Role as KeyRole
from core.keys import create_key
from core.predictions import load_prediction
from core.settings import Settings
from inference.loading import active_card
from inference.predictor import Predictor
from tests.builders.opt import build_circle_opt
from tests.conftest import miss
from tests.fixtures.ibm_clients import clients_environment, run_client
from tests.fixtures.node import PATIENCE_SECONDS, RunningNode, running_node
from tests.fixtures.tls import Keys
from tests.golden.retinervenet import inputs

_OLD: Final = "ibm_watson_machine_learning"
_NEW: Final = "ibm_watsonx_ai"
#: Client and release, as by day.
_USUAL: Final = ((_OLD, "4.8"), (_NEW, "5.1"))
_OTHERS: Final = ((_OLD, "4.0"), (_OLD, "4.6"), (_NEW, "5.0"), (_NEW, "5.2"))
_WAYS_IN: Final = ("apikey", "password", "bedrock_url", "token")

_VERSION = "GET /ml/wml_services/version 404"
_VERSION_2 = "GET /ml/wml_services/v2/version 200"
_FOUNDATION = "GET /ml/v1/foundation_model_specs 404"
_AUTHORIZE = "POST /icp4d-api/v1/authorize 200"
_IDENTITY = ["POST /idprovider/v1/auth/identitytoken 200", "GET /v1/preauth/validateAuth 200"]
_SPACES = "GET /v2/spaces 200"
_REST = [
    "GET /v2/spaces/ID 200",
    "GET /v2/hardware_specifications 200",
    "POST /ml/v4/deployments/ID/predictions 200",
    "GET /ml/v4/deployments/ID 200",
    "GET /v2/assets/ID 200",
    "POST /ml/v4/deployment_jobs 202",
    "GET /ml/v4/deployment_jobs/ID 200",
    "GET /ml/v4/deployment_jobs 200",
    "DELETE /ml/v4/deployment_jobs/ID 204",
]


@dataclass(frozen=True)
class Served:
    """A node with its deployments, and who may ask it."""

    url: str
    key: str
    ids: dict[Mode, str]
    node: RunningNode
    environment: Path

    def told(self, client: str, version: str, way_in: str = "apikey") -> dict[str, Any]:
        credentials = {
            "url": self.url,
            "username": "ada",
            "instance_id": "openshift",
            "version": version,
            **self._proof(way_in),
        }
        profiles_um, ages_years = inputs()
        rows = np.column_stack([profiles_um, ages_years])[:2]
        return {
            "client": client,
            "credentials": credentials,
            "space": SPACE_ID,
            "online": self.ids[Mode.ONLINE],
            "batch": self.ids[Mode.BATCH],
            "values": rows.tolist(),
            "patience_seconds": PATIENCE_SECONDS,
        }

    def run(self, do: str, told: dict[str, Any]) -> dict[str, Any]:
        return run_client(self.environment, {"do": do, **told})

    def client(self, **headers: str) -> httpx.Client:
        # A certificate of the test's own; where networks are loaded beside it, answers take long.
        return httpx.Client(
            verify=False,  # noqa: S501
            base_url=self.url,
            headers=headers,
            timeout=PATIENCE_SECONDS,
        )

    def token(self) -> str:
        asked = {"username": "ada", "api_key": self.key}
        with self.client() as client:
            answer = client.post("/icp4d-api/v1/authorize", json=asked)
        return str(answer.json()["token"])

    def _proof(self, way_in: str) -> dict[str, str]:
        match way_in:
            case "token":
                return {"token": self.token()}
            case "bedrock_url":
                return {"password": self.key, "bedrock_url": self.url}
        return {way_in: self.key}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Served]:
    environment = clients_environment()
    if environment is None:
        miss("the environment of IBM's clients, made by tests/fixtures/fetch_ibm_clients,")
    settings = Settings(
        home=tmp_path_factory.mktemp("node") / "home",
        dicom_port=0,
        dicom_tls_port=0,
        http_port=0,
        auth="keys",
        tls_cert=str(keys.server.path),
        tls_key=str(keys.server.key),
    )
    with running_node(settings, (Role.RECEIVE, Role.INFER, Role.SERVE)) as node:
        with node.database.transaction() as session:
            key = create_key(session, "clinic", KeyRole.CLINICIAN)
        with node.database.reading() as session:
            ids = {found.mode: found.id for found in deployed(session, settings)}
        url = str(node.client.base_url).replace("http://", "https://").rstrip("/")
        yield Served(url, key, ids, node, environment)


def calls_of(done: dict[str, Any]) -> list[str]:
    """Return the calls in their order; looks at the same job again and again count once."""
    told = [f"{c['method']} {_without_ids(c['path'])} {c['status']}" for c in done["calls"]]
    return [call for number, call in enumerate(told) if number == 0 or call != told[number - 1]]


def _without_ids(path: str) -> str:
    return re.sub(r"[a-z0-9-]{36}", "ID", path)


def begins(client: str, way_in: str) -> list[str]:
    """Return the calls of signing in."""
    proof = {"token": [], "bedrock_url": _IDENTITY}.get(way_in, [_AUTHORIZE])
    if client == _NEW:
        return [_VERSION_2, *proof]
    return [_VERSION, _VERSION_2, _FOUNDATION, *proof, _SPACES]


def check_session(served: Served, client: str, version: str, way_in: str) -> dict[str, Any]:
    done = served.run("session", served.told(client, version, way_in))

    expected = [*begins(client, way_in), *_REST]
    if client == _NEW and version in {"5.0", "5.1"}:
        # It looks once more before it deletes.
        expected.insert(-1, "GET /ml/v4/deployment_jobs/ID 200")
    assert calls_of(done) == expected
    assert {call["host"] for call in done["calls"]} == {"127.0.0.1"}
    assert done["states"][-1] == "completed"
    assert done["states"] == [s for s in ("queued", "running", "completed") if s in done["states"]]
    assert done["listed"]
    assert done["deleted"] == "SUCCESS"
    [online], [job] = done["online"], done["job"]
    assert (online["id"], job["id"]) == ("dense_1", "dense_1")
    assert np.shape(job["values"]) == (2, 52)
    np.testing.assert_allclose(job["values"], online["values"], atol=1e-5)
    return done


@pytest.mark.parametrize(("client", "version"), _USUAL)
def test_a_session_of_each_client(served: Served, client: str, version: str) -> None:
    check_session(served, client, version, "apikey")


@pytest.mark.slow
@pytest.mark.parametrize(("client", "version"), _USUAL)
@pytest.mark.parametrize("way_in", [way for way in _WAYS_IN if way not in {"apikey", "password"}])
def test_each_way_in(served: Served, client: str, version: str, way_in: str) -> None:
    check_session(served, client, version, way_in)


@pytest.mark.slow
@pytest.mark.parametrize(("client", "version"), _OTHERS)
def test_each_release(served: Served, client: str, version: str) -> None:
    check_session(served, client, version, "apikey")


@pytest.mark.slow
def test_a_password_is_not_sent_elsewhere_where_the_address_is_a_number(served: Served) -> None:
    """The old client invents a host from ours: of 127.0.0.1 none that could be found."""
    told = served.told(_OLD, "4.8", "password")
    done = served.run("signing_in", told)

    assert calls_of(done)[-2:] == [_AUTHORIZE, _SPACES]


@pytest.mark.slow
@pytest.mark.parametrize("client", [_OLD, _NEW])
def test_a_job_that_fails_says_why(served: Served, client: str) -> None:
    told = served.told(client, "5.0")
    told["values"][1] = told["values"][1][:-1]
    done = served.run("failing_job", told)

    assert done["states"][-1] == "failed"
    [error] = done["status"]["failure"]["errors"]
    assert error["code"] == "invalid_input"
    assert error["message"].startswith("values[1] has 768 numbers")


@pytest.mark.slow
@pytest.mark.parametrize("client", [_OLD, _NEW])
def test_nan_is_refused(served: Served, client: str) -> None:
    told = served.told(client, "5.0")
    told["values"][0][5] = None
    done = served.run("refused_score", told)

    assert "values[0][5] is missing" in done["error"]
    assert '"status_code":400' in done["error"]


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 2, 1000])
def test_rows_come_back_in_order_as_the_model_says_them(served: Served, rows: int) -> None:
    profiles_um, ages_years = inputs()
    picked = np.resize(np.arange(3), rows)
    values = np.column_stack([profiles_um, ages_years])[picked].tolist()
    done = served.run("session", {**served.told(_OLD, "4.8"), "values": values})

    predictor = Predictor.load(active_card(served.node.settings), "cpu")
    # The same rows together: in another number of them the last bits differ.
    wanted = predictor.answer(profiles_um[picked], ages_years[picked]).sensitivities_db
    for [output] in (done["online"], done["job"]):
        np.testing.assert_allclose(output["values"], wanted, atol=1e-5)


def run_job(served: Served, scoring: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Give a job by hand; return its states and what it says when it is finished."""
    body = {"deployment": {"id": served.ids[Mode.BATCH]}, "scoring": scoring}
    with served.client(Authorization=f"Bearer {served.token()}") as client:
        made = client.post("/ml/v4/deployment_jobs", json=body).json()
        path = f"/ml/v4/deployment_jobs/{made['metadata']['id']}"
        states = [made["entity"]["scoring"]["status"]["state"]]

        def state() -> str:
            told = client.get(path, params={"include": "status"}).json()
            states.append(told["entity"]["scoring"]["status"]["state"])
            return states[-1]

        assert wait_until(lambda: state() not in {"queued", "running"}, PATIENCE_SECONDS), states
        return list(dict.fromkeys(states)), client.get(path).json()["entity"]["scoring"]


def test_a_job_says_when_it_was_where(served: Served) -> None:
    profiles_um, ages_years = inputs()
    rows = np.column_stack([profiles_um, ages_years])[np.resize(np.arange(3), 600)]
    states, told = run_job(served, {"input_data": [{"values": rows.tolist()}]})

    # Running may be over before anybody looks.
    assert [state for state in states if state != "running"] == ["queued", "completed"]
    assert "" < told["status"]["running_at"] <= told["status"]["completed_at"]
    assert np.shape(told["predictions"][0]["values"]) == (600, 52)


def test_a_stored_study_is_scored_by_a_job(served: Served, tmp_path: Path) -> None:
    scan = build_circle_opt()
    served.node.send_datasets(tmp_path / "sent", scan)
    reference = {"type": "dicom", "location": {"study_uid": str(scan.StudyInstanceUID)}}
    states, told = run_job(served, {"input_data_references": [reference]})

    assert states[-1] == "completed", told
    [output] = told["predictions"]
    [found] = output["scans"]
    assert (found["sop_instance_uid"], found["status"]) == (str(scan.SOPInstanceUID), "final")
    with served.node.database.reading() as session:
        prediction = load_prediction(session, found["prediction_id"])
    assert prediction.estimate is not None
    wanted = [prediction.estimate.sensitivities_db.tolist()]
    np.testing.assert_allclose(output["values"], wanted, atol=1e-5)
