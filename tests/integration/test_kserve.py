"""KServe's own server computes for us: a peer we did not write."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.settings import Settings
from inference.errors import ModelDamaged, ModelNotFound
from inference.executors.register import executor_of
from inference.model_card import ModelCard, ModelFormat
from inference.model_card_writer import write_card
from inference.scorer import Scorer
from inference.weights import weights_digest
from tests.builders.tensors import build_question
from tests.conftest import REPOSITORY, miss
from tests.unit.inference.cards import make_model
from tests.unit.inference.runtimes.networks import save_onnx, small_onnx

pytestmark = pytest.mark.slow

_VERSION = "0.15.2"


@pytest.fixture
def python() -> Path:
    """The interpreter that has KServe."""
    caches = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = Path(os.environ.get("ARCUATE_TEST_KSERVE", caches / "arcuate" / f"kserve-{_VERSION}"))
    found = folder / "bin" / "python"
    if not found.exists():
        miss("KServe (tests/fixtures/fetch_kserve)")
    return found


@pytest.fixture
def card(tmp_path: Path) -> ModelCard:
    """A linear model that is installed here as ONNX."""
    made = make_model(tmp_path, "smallnet")
    path = save_onnx(small_onnx(), made.folder)
    digest = weights_digest(path)
    card = replace(made, weights=path.name, format=ModelFormat.ONNX, digest=digest)
    write_card(card)
    return card


@contextmanager
def serving(python: Path, folder: Path, shift_db: float = 0.0) -> Iterator[Settings]:
    """Let KServe serve the same model, its fields moved by so much."""
    from onnx import numpy_helper

    weights, bias = (numpy_helper.to_array(entry) for entry in small_onnx().graph.initializer)
    np.savez(folder / "linear.npz", weights=weights, bias=bias + np.float32(shift_db))
    script = REPOSITORY / "tests" / "fixtures" / "kserve_server.py"
    with subprocess.Popen(
        [python, script, "smallnet", folder / "linear.npz"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            yield Settings(executor="kserve-v2", executor_url=f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


def test_kserve_gives_the_answers_of_the_weights_here(
    python: Path, card: ModelCard, tmp_path: Path
) -> None:
    asked = build_question(np.linspace(30.0, 85.0, 70).tolist())
    with serving(python, tmp_path) as settings:
        scorer = Scorer.on(executor_of(settings), card)
        found = scorer.predictor.answer(asked.structure, asked.age_years)
        with pytest.raises(ModelNotFound, match="load it there"):
            executor_of(settings).network(replace(card, name="other"))

    local = Scorer.load(card, "cpu").predictor.answer(asked.structure, asked.age_years)
    np.testing.assert_allclose(found.sensitivities_db, local.sensitivities_db, atol=1e-3)
    assert str(scorer.predictor.device_used) == "remote (kserve 0.15.2, Open Inference Protocol)"


def test_kserve_with_other_weights_is_not_used(
    python: Path, card: ModelCard, tmp_path: Path
) -> None:
    with (
        serving(python, tmp_path, shift_db=0.5) as settings,
        pytest.raises(ModelDamaged, match=r"0\.50 dB from those of the weights"),
    ):
        executor_of(settings).network(card)
