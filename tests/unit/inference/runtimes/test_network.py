from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from inference.errors import ModelDamaged, OutOfMemory, RuntimeUnavailable
from inference.intervals import IntervalTable
from inference.model_card import ModelFormat, ModelInput
from inference.runtimes.compiled_network import CompiledNetwork, Port
from inference.runtimes.network import BATCH_SIZES, Network
from tests.unit.inference.cards import make_model
from tests.unit.inference.runtimes.networks import (
    eyes,
    keras_model,
    save_onnx,
    save_saved_model,
    small_keras,
    small_onnx,
)

# Keras itself warns when it saves with TensorFlow and NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TOLERANCE_DB = 1e-4


@pytest.mark.parametrize("count", [1, 3, 16, 17, 64, 70])
def test_every_eye_has_its_answer_whatever_the_batch(tmp_path: Path, count: int) -> None:
    model = small_keras(with_spread=True)
    network = Network.load(keras_model(tmp_path, model), "cpu")
    profiles, ages = eyes(count)

    answer = network.answer(profiles, ages[:, 0])

    field, spread = (np.asarray(output) for output in model([profiles, ages]))
    assert answer.sensitivities_db == pytest.approx(field, abs=TOLERANCE_DB)
    assert answer.spread_db == pytest.approx(spread, abs=TOLERANCE_DB)
    assert answer.sensitivities_db.dtype == np.float32


def test_network_without_age_or_spread_has_neither(tmp_path: Path) -> None:
    model = small_keras(with_age=False)
    network = Network.load(keras_model(tmp_path, model), "cpu")
    profiles, _ = eyes(3)

    answer = network.answer(profiles, np.full(3, np.nan, np.float32))

    assert answer.sensitivities_db == pytest.approx(np.asarray(model([profiles])), abs=TOLERANCE_DB)
    assert answer.spread_db is None


def test_sequential_network_is_read(tmp_path: Path) -> None:
    import keras

    field = keras.layers.Dense(52, name="dense_1")
    profile = keras.Input((768, 1), name="profile")
    model = keras.Sequential([profile, keras.layers.Flatten(), field])
    card = replace(make_model(tmp_path), inputs=(ModelInput("profile", (768, 1), "µm"),))
    model.save(card.weights_path)
    profiles, ages = eyes(3)

    answer = Network.load(card, "cpu").answer(profiles, ages[:, 0])

    assert answer.sensitivities_db == pytest.approx(np.asarray(model(profiles)), abs=1e-3)


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built")
def test_network_that_does_not_know_its_inputs_is_refused(tmp_path: Path) -> None:
    import keras

    card = make_model(tmp_path)
    keras.Sequential([keras.layers.Dense(52, name="dense_1")]).save(card.weights_path)

    with pytest.raises(ModelDamaged, match="not a whole network with known inputs"):
        Network.load(card, "cpu")


def test_network_of_photographs_is_read_by_the_shape_of_its_card(tmp_path: Path) -> None:
    import keras

    fundus = keras.Input((8, 6, 2), name="fundus")
    field = keras.layers.Dense(52, name="dense_1")(keras.layers.Flatten()(fundus))
    model = keras.Model(fundus, field)
    network = Network.load(keras_model(tmp_path, model), "cpu")
    rings = np.random.default_rng(5).uniform(0, 1, (5, 8, 6, 2)).astype(np.float32)

    answer = network.answer(rings, np.full(5, 60, np.float32))

    assert answer.sensitivities_db == pytest.approx(np.asarray(model(rings)), abs=TOLERANCE_DB)


def test_saved_model_gives_the_same_as_the_keras_file(tmp_path: Path) -> None:
    model = small_keras(with_spread=True)
    card = keras_model(tmp_path, model)
    folder = save_saved_model(model, card.folder)
    exported = replace(card, weights=folder.name, format=ModelFormat.SAVEDMODEL)
    profiles, ages = eyes(5)

    found = Network.load(exported, "cpu").answer(profiles, ages[:, 0])

    expected = Network.load(card, "cpu").answer(profiles, ages[:, 0])
    assert found.sensitivities_db == pytest.approx(expected.sensitivities_db, abs=TOLERANCE_DB)
    assert found.spread_db == pytest.approx(expected.spread_db, abs=TOLERANCE_DB)


def test_onnx_file_is_read_by_its_card(tmp_path: Path) -> None:
    card = make_model(tmp_path)
    path = save_onnx(small_onnx(), card.folder)
    network = Network.load(replace(card, weights=path.name, format=ModelFormat.ONNX), "cpu")
    profiles, ages = eyes(5)

    together = network.answer(profiles, ages[:, 0]).sensitivities_db

    alone = [network.answer(profiles[i : i + 1], ages[i]).sensitivities_db[0] for i in range(5)]
    assert np.ptp(together, axis=0).min() > 0
    assert together == pytest.approx(np.stack(alone), abs=TOLERANCE_DB)
    assert network.device_used.device == "CPU"


def test_weights_kept_otherwise_than_the_card_says_are_refused(tmp_path: Path) -> None:
    card = keras_model(tmp_path, small_keras())
    renamed = replace(card, weights="small.onnx", format=ModelFormat.ONNX)
    card.weights_path.rename(renamed.weights_path)

    with pytest.raises(ModelDamaged, match='kept as keras, and its card says format = "onnx"'):
        Network.load(renamed, "cpu")


def test_network_unlike_its_card_is_refused(tmp_path: Path) -> None:
    card = keras_model(tmp_path, small_keras())

    with pytest.raises(ModelDamaged, match="Make names and shapes alike"):
        Network.load(replace(card, inputs=(ModelInput("profile", (768, 1), "µm"),)), "cpu")


def test_network_without_the_spread_its_card_needs_is_refused(tmp_path: Path) -> None:
    card = keras_model(tmp_path, small_keras())
    factors = IntervalTable(0.9, (), lower_factors=(1.5,), upper_factors=(1.2,))

    with pytest.raises(ModelDamaged, match="are factors of its spread, and phantom"):
        Network.load(replace(card, intervals=factors), "cpu")


def test_keras_library_that_is_not_served_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = keras_model(tmp_path, small_keras())
    monkeypatch.setenv("KERAS_BACKEND", "torch")

    with pytest.raises(RuntimeUnavailable, match="torch, and a Keras file runs on tensorflow or"):
        Network.load(card, "cpu")


@pytest.mark.parametrize("kind", ["keras", "onnx"])
@pytest.mark.parametrize("size", BATCH_SIZES[1:])
def test_eye_has_the_same_bits_wherever_it_stands_in_a_batch(
    tmp_path: Path, kind: str, size: int
) -> None:
    network = Network.load(model_of(tmp_path, kind), "cpu")
    profiles, ages = eyes(size)
    fewest = size // 4 + 1

    whole = network.answer(profiles, ages[:, 0]).sensitivities_db
    turned = network.answer(profiles[::-1], ages[::-1, 0]).sensitivities_db
    padded = network.answer(profiles[:fewest], ages[:fewest, 0]).sensitivities_db

    assert np.array_equal(turned[::-1], whole)
    assert np.array_equal(padded, whole[:fewest])


def model_of(folder: Path, kind: str) -> Any:
    """Return the card of a small network kept in that form."""
    if kind == "keras":
        return keras_model(folder, small_keras())
    card = make_model(folder)
    return replace(card, weights=save_onnx(small_onnx(), card.folder).name, format=ModelFormat.ONNX)


def test_network_is_traced_once_for_every_size(tmp_path: Path) -> None:
    from inference.runtimes.keras_tensorflow import load_network

    card = keras_model(tmp_path, small_keras())
    compiled = load_network(card.weights_path, "cpu")
    network = Network(compiled, card)

    for count in (1, 2, 5, 16, 40, 150):
        profiles, ages = eyes(count)
        network.answer(profiles, ages[:, 0])

    assert compiled._function.experimental_get_tracing_count() == 1


def hungry(most: int) -> CompiledNetwork:
    """Return a network of TensorFlow that asks for a tebibyte beyond that many eyes."""
    import tensorflow as tf

    from inference.runtimes.tensorflow_network import TensorFlowNetwork

    @tf.function
    def estimate(profile: Any, age: Any) -> list[Any]:
        count = tf.shape(profile)[0]
        wanted = tf.where(count > most, tf.constant(2**38, tf.int64), tf.constant(1, tf.int64))
        nothing = 0 * tf.reduce_max(tf.random.uniform([wanted]))
        return [age + nothing + tf.range(52, dtype=tf.float32)]

    inputs = (Port("profile", (768, 1)), Port("age", (1,)))
    return TensorFlowNetwork(estimate, inputs, (Port("dense_1", (52,)),), "/CPU:0")


def test_batch_is_halved_until_it_fits_the_memory_and_stays_so(tmp_path: Path) -> None:
    profiles, ages = eyes(40)

    with capture_logs() as logs:
        network = Network(hungry(16), make_model(tmp_path))
        answer = network.answer(profiles, ages[:, 0])

    assert network.batch_sizes == (1, 4, 16)
    assert np.array_equal(answer.sensitivities_db, ages + np.arange(52, dtype=np.float32))
    halved = [(entry["largest"], entry["log_level"]) for entry in logs]
    assert halved == [(32, "warning"), (16, "warning")]
    assert "/CPU:0 has too little memory for a batch of 64." in logs[0]["cause"]


@pytest.mark.slow
def test_device_without_memory_for_one_eye_is_no_fault_of_the_eye(tmp_path: Path) -> None:
    with pytest.raises(OutOfMemory, match=r"for a batch of 1\. Free memory on it, take another"):
        Network(hungry(0), make_model(tmp_path))
