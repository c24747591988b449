import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.model_card import ModelCard, ModelFormat, ModelKind
from inference.model_store import ModelStore
from inference.predictor import Predictor
from inference.simulation.eyes import simulate_eyes
from inference.simulation.wedges import WedgePatterns

#: Backends add up sums in another order; what is left of that on a CPU, in dB.
BACKEND_TOLERANCE_DB = 1e-4

#: Answers for the structures and ages in a file, in a fresh interpreter: Keras reads its backend
#: once. TensorFlow is made unfindable, as where it is not installed.
PROGRAM = """
import json, sys

class NoTensorFlow:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tensorflow":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoTensorFlow())
import numpy as np
from inference.model_store import ModelStore
from inference.predictor import Predictor

predictor = Predictor.load(ModelStore().load_card(sys.argv[3], sys.argv[4]), "cpu")
given = np.load(sys.argv[1])
answer = predictor.answer(given["structure"], given["ages"])
np.save(sys.argv[2], answer.sensitivities_db)
print(json.dumps({"device": str(predictor.device_used)}))
"""


def run_on_jax(*arguments: str, program: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "KERAS_BACKEND": "jax"},
    )


def inputs_of(card: ModelCard) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return 64 structures a model reads, and ages in years."""
    rng = np.random.default_rng(11)
    eyes = simulate_eyes(rng, 64, WedgePatterns())
    if card.kind is ModelKind.PROFILE:
        return eyes.thickness_um, eyes.age_years
    return rng.normal(0, 0.3, (64, *card.inputs[0].shape)).astype(np.float32), eyes.age_years


@pytest.mark.parametrize(
    "card",
    [card for card in ModelStore().list() if card.format is ModelFormat.KERAS],
    ids=lambda card: f"{card.name}-{card.version}",
)
def test_shipped_model_gives_the_fields_tensorflow_gives(card: ModelCard, tmp_path: Path) -> None:
    structure, ages = inputs_of(card)
    np.savez(tmp_path / "given.npz", structure=structure, ages=ages)

    done = run_on_jax(
        str(tmp_path / "given.npz"), str(tmp_path / "found.npy"), card.name, card.version
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["device"].startswith("CPU (JAX 0.")
    expected_db = Predictor.load(card, "cpu").answer(structure, ages).sensitivities_db
    found_db = np.load(tmp_path / "found.npy")
    assert np.ptp(expected_db) > 10
    assert found_db == pytest.approx(expected_db, abs=BACKEND_TOLERANCE_DB)


def test_device_that_is_not_there_is_refused() -> None:
    program = (
        "from inference.errors import DeviceUnavailable\n"
        "from inference.model_store import ModelStore\n"
        "from inference.predictor import Predictor\n"
        "try:\n    Predictor.load(ModelStore().load_card('retinervenet'), 'gpu:99')\n"
        "except DeviceUnavailable as error:\n    print(error)\n"
    )

    done = run_on_jax(program=program)

    assert "gpu:99 is not there" in done.stdout, done.stderr


def test_memory_that_ends_is_told_as_such_and_nothing_is_compiled_twice(tmp_path: Path) -> None:
    """XLA says it by the text of its error alone, so what it really says is read."""
    program = """
import sys
from pathlib import Path
import jax, jax.numpy as jnp
from inference.errors import OutOfMemory
from inference.runtimes.keras_jax import JaxNetwork
from inference.runtimes.network import Network
from tests.unit.inference.cards import make_model
from tests.unit.inference.runtimes.networks import eyes, small_keras

compiled = JaxNetwork(small_keras(), jax.devices("cpu")[0])
network = Network(compiled, make_model(Path(sys.argv[1])))
profiles, ages = eyes(20)
for count in (1, 3, 16, 20):
    network.answer(profiles[:count], ages[:count, 0])
print("compiled", compiled._compiled._cache_size())
compiled._compiled = jax.jit(lambda weights, arrays: [jnp.ones(2**45) * arrays[0].sum()])
try:
    network.answer(profiles[:1], ages[:1, 0])
except OutOfMemory as error:
    print(error)
"""

    done = run_on_jax(str(tmp_path), program=program)

    assert "compiled 4" in done.stdout, done.stderr
    assert "too little memory for a batch of 1. Free memory on it" in done.stdout, done.stderr
