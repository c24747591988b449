"""What is made of servers that are away, wrong or broken; a good one is asked in integration."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import SettingsInvalid
from core.settings import Settings, load_settings
from inference.errors import ExecutorAway, ModelDamaged, ModelNotFound, PredictionFailed
from inference.executors import tensor_client
from inference.executors.comparison import compare_with_local
from inference.executors.kserve_v2 import RemoteNetwork, open_server
from inference.model_card import ModelCard
from inference.model_store import ModelStore
from inference.runtimes.network import Network
from tests.builders.tensors import build_question
from tests.fixtures.web_service import Answer, Asked, WebService
from tests.unit.inference.small_models import small_model

MODEL: dict[str, Any] = {
    "name": "retinervenet",
    "versions": ["1"],
    "inputs": [
        {"name": "age", "datatype": "FP32", "shape": [-1, 1]},
        {"name": "profile", "datatype": "FP32", "shape": [-1, 768, 1]},
    ],
    "outputs": [
        {"name": "spread", "datatype": "FP32", "shape": [-1, 52, 2]},
        {"name": "dense_1", "datatype": "FP32", "shape": [-1, 52]},
    ],
}
FIELD = {"name": "dense_1", "datatype": "FP32", "shape": [1, 52], "data": [20.0] * 52}
SPREAD = {"name": "spread", "datatype": "FP32", "shape": [1, 52, 2], "data": [2.0] * 104}


@pytest.fixture(autouse=True)
def _ask_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_client, "_PAUSES", (0.0, 0.0))


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return ModelStore().load_card("retinervenet")


class Peer:
    """A server that says what a test lets it say."""

    def __init__(self) -> None:
        self.model: Any = MODEL
        self.answers: list[Answer] = []
        self.service = WebService(self._answer)

    def _answer(self, asked: Asked) -> Answer:
        if asked.method == "POST":
            return self.answers.pop(0)
        if asked.path == "/v2":
            return 200, {"name": "other", "version": "3", "extensions": []}
        return (200, self.model) if self.model else (404, {"error": "no such model"})


@pytest.fixture
def peer() -> Iterator[Peer]:
    opened = Peer()
    with opened.service.running():
        yield opened


def remote(peer: Peer, card: ModelCard) -> RemoteNetwork:
    client = open_server(on(peer.service.url)).client
    return RemoteNetwork(client, card, None, client.server(), client.model("retinervenet", None))


def on(url: str, **more: Any) -> Settings:
    return Settings(executor="kserve-v2", executor_url=url, **more)


def ask(network: RemoteNetwork) -> Any:
    asked = build_question()
    return network.answer(asked.structure.reshape(-1, 768, 1), asked.age_years)


def test_tensors_go_by_the_names_and_in_the_order_of_the_server(
    peer: Peer, card: ModelCard
) -> None:
    peer.answers = [(200, {"outputs": [SPREAD, FIELD]})]
    network = remote(peer, card)
    answer = ask(network)

    sent = json.loads(peer.service.asked[-1].body)
    assert [(one["name"], one["shape"]) for one in sent["inputs"]] == [
        ("age", [1, 1]),
        ("profile", [1, 768, 1]),
    ]
    assert [one["name"] for one in sent["outputs"]] == ["dense_1", "spread"]
    assert peer.service.asked[-1].path == "/v2/models/retinervenet/infer"
    np.testing.assert_array_equal(answer.sensitivities_db, np.full((1, 52), 20.0))
    np.testing.assert_array_equal(answer.spread_db, np.full((1, 52, 2), 2.0))
    assert str(network.device_used) == "remote (other 3, Open Inference Protocol)"


def test_a_server_that_is_away_for_a_moment_is_asked_again(peer: Peer, card: ModelCard) -> None:
    good = (200, {"outputs": [FIELD, SPREAD]})
    peer.answers = [(503, {"error": "busy"}), (429, {}), good]
    assert ask(remote(peer, card)).sensitivities_db.shape == (1, 52)


@pytest.mark.parametrize("status", [401, 403, 404, 502, 503])
def test_nobodys_eyes_are_to_blame_where_the_server_is_away(
    peer: Peer, card: ModelCard, status: int
) -> None:
    peer.answers = [(status, {"error": "the cause"})] * 3
    with pytest.raises(ExecutorAway, match=f"{status}: the cause"):
        ask(remote(peer, card))


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ((500, {"error": "out of memory"}), "out of memory"),
        ((400, b"<html>"), "without a cause"),
        ((200, {"outputs": [FIELD]}), "gave no spread"),
        ((200, {"outputs": [SPREAD, {**FIELD, "shape": [1, 54]}]}), "cannot be read"),
        ((200, {"outputs": [SPREAD, {**FIELD, "datatype": "BYTES"}]}), "cannot be read"),
        ((200, b"nothing"), "cannot be read"),
    ],
)
def test_an_answer_that_is_none_fails_the_prediction(
    peer: Peer, card: ModelCard, answer: Answer, cause: str
) -> None:
    peer.answers = [answer]
    with pytest.raises(PredictionFailed, match=cause):
        ask(remote(peer, card))


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        ({}, "does not say which inputs"),
        ({**MODEL, "outputs": MODEL["outputs"][1:]}, "gives none"),
        ({**MODEL, "inputs": MODEL["inputs"][1:]}, "its card says"),
        ({**MODEL, "inputs": [{**MODEL["inputs"][0], "datatype": "INT8"}]}, "not FP32"),
    ],
)
def test_a_model_that_is_not_the_cards_is_refused(
    peer: Peer, card: ModelCard, told: dict[str, Any], cause: str
) -> None:
    peer.model = told or {"name": "retinervenet"}
    with pytest.raises(ModelDamaged, match=cause):
        remote(peer, card)


def test_a_model_of_other_weights_is_refused(peer: Peer, card: ModelCard) -> None:
    peer.model = {**MODEL, "parameters": {"digest": "sha256:0"}}
    with pytest.raises(ModelDamaged, match="other weights"):
        open_server(on(peer.service.url)).network(card)


def test_a_model_that_gives_other_fields_is_refused(peer: Peer, card: ModelCard) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.method != "POST":
            return Peer._answer(peer, asked)
        rows = json.loads(asked.body)["inputs"][0]["shape"][0]
        told = [{**FIELD, "shape": [rows, 52], "data": [20.0] * 52 * rows}]
        told.append({**SPREAD, "shape": [rows, 52, 2], "data": [2.0] * 104 * rows})
        return 200, {"outputs": told}

    peer.service.answer = answer
    with pytest.raises(ModelDamaged, match="dB from those of the weights"):
        open_server(on(peer.service.url)).network(card)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_the_same_weights_are_the_same_anywhere(tmp_path: Path) -> None:
    card = small_model(tmp_path / "one", seed=1)
    other = small_model(tmp_path / "other", seed=2)
    compare_with_local(card, Network.load(replace(card), "cpu"))
    with pytest.raises(ModelDamaged, match="dB from those"):
        compare_with_local(card, Network.load(other, "cpu"))


def test_a_server_without_the_model_says_what_to_load(peer: Peer, card: ModelCard) -> None:
    peer.model = None
    with pytest.raises(ModelNotFound, match="no model retinervenet: load it there"):
        open_server(on(peer.service.url)).network(card)


def test_a_server_that_speaks_something_else_is_away(peer: Peer) -> None:
    peer.service.answer = lambda _asked: (200, b"<html>")
    with pytest.raises(ExecutorAway, match="does not speak the protocol"):
        open_server(on(peer.service.url)).client.server()


def test_a_server_that_is_too_slow_is_not_asked_again_at_once(peer: Peer) -> None:
    released = threading.Event()

    def late(_asked: Asked) -> Answer:
        released.wait(30)
        return 200, {}

    peer.service.answer = late
    with pytest.raises(ExecutorAway, match="ReadTimeout"):
        open_server(on(peer.service.url, executor_seconds=0.2)).client.server()
    released.set()
    assert len(peer.service.asked) == 1


def test_nobody_listening_is_told_with_what_to_look_at() -> None:
    with pytest.raises(ExecutorAway, match="ConnectError; does it run"):
        open_server(on("http://127.0.0.1:9")).client.server()


def test_the_key_is_shown(peer: Peer, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("arcuate_secret\n")
    open_server(on(peer.service.url, executor_key_file=str(key))).client.server()
    shown = {name.lower(): value for name, value in peer.service.asked[0].headers.items()}
    assert shown["authorization"] == "Bearer arcuate_secret"
    with pytest.raises(SettingsInvalid, match="executor_key_file"):
        open_server(on(peer.service.url, executor_key_file=str(tmp_path / "none")))


def test_a_server_needs_an_address() -> None:
    with pytest.raises(SettingsInvalid, match="executor_url"):
        load_settings(environment={"ARCUATE_EXECUTOR": "kserve-v2"})
