from pathlib import Path

import numpy as np
import pytest

from inference.errors import ModelDamaged
from inference.runtimes.compiled_network import Port
from inference.runtimes.saved_model import load_network
from tests.unit.inference.runtimes.networks import eyes, save_saved_model, small_keras

# Keras itself warns when it saves with TensorFlow and NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def save_function(folder: Path, estimate: object, inputs: list[object]) -> Path:
    """Save one function of TensorFlow as a SavedModel."""
    import tensorflow as tf

    module = tf.Module()
    module.estimate = tf.function(estimate, input_signature=inputs)
    tf.saved_model.save(
        module, str(folder), signatures={"serving_default": module.estimate.get_concrete_function()}
    )
    return folder


def test_gives_what_keras_gives_by_name_of_its_inputs(tmp_path: Path) -> None:
    model = small_keras(with_spread=True)
    profiles, ages = eyes(3)

    network = load_network(save_saved_model(model, tmp_path), "cpu")

    assert {port.name: port.shape for port in network.inputs} == {
        "profile": (768, 1),
        "age": (1,),
    }
    assert [port.shape for port in network.outputs] == [(52,), (52, 2)]
    by_name = {"profile": profiles, "age": ages}
    found = network.run([by_name[port.name] for port in network.inputs])
    for output, expected in zip(found, model([profiles, ages]), strict=True):
        assert output == pytest.approx(np.asarray(expected), abs=1e-4)
    assert network.device_used.device == "CPU"
    assert network.device_used.software.startswith("TensorFlow 2.")


def test_reads_a_plain_function_of_tensorflow(tmp_path: Path) -> None:
    import tensorflow as tf

    folder = save_function(
        tmp_path / "plain",
        lambda profile: {"dense_1": tf.reduce_mean(profile, axis=(1, 2))[:, None] + tf.range(52.0)},
        [tf.TensorSpec((None, 768, 1), tf.float32, "profile")],
    )

    network = load_network(folder, "cpu")

    assert (network.inputs, network.outputs) == (
        (Port("profile", (768, 1)),),
        (Port("dense_1", (52,)),),
    )
    (found,) = network.run([np.full((2, 768, 1), 3, np.float32)])
    assert np.array_equal(found, np.tile(np.arange(52) + 3, (2, 1)))


def test_refuses_a_graph_that_calls_python(tmp_path: Path) -> None:
    import tensorflow as tf

    folder = save_function(
        tmp_path / "unsafe",
        lambda profile: tf.py_function(lambda x: x, [profile[:, :52, 0]], tf.float32),
        [tf.TensorSpec((None, 768, 1), tf.float32, "profile")],
    )

    with pytest.raises(ModelDamaged, match="is a EagerPyFunc, which calls Python"):
        load_network(folder, "cpu")


def test_refuses_a_graph_that_writes_files_deep_inside(tmp_path: Path) -> None:
    import tensorflow as tf

    @tf.function
    def inner(profile: object) -> object:
        tf.io.write_file(str(tmp_path / "written"), "text")
        return profile

    folder = save_function(
        tmp_path / "unsafe",
        lambda profile: inner(profile)[:, :52, 0],
        [tf.TensorSpec((None, 768, 1), tf.float32, "profile")],
    )

    with pytest.raises(ModelDamaged, match="is a WriteFile"):
        load_network(folder, "cpu")

    assert not (tmp_path / "written").exists()


def test_refuses_a_fixed_number_of_eyes(tmp_path: Path) -> None:
    import tensorflow as tf

    folder = save_function(
        tmp_path / "fixed",
        lambda profile: profile[:, :52, 0],
        [tf.TensorSpec((1, 768, 1), tf.float32, "profile")],
    )

    with pytest.raises(ModelDamaged, match="number of eyes left open"):
        load_network(folder, "cpu")


def test_refuses_a_model_without_a_serving_signature(tmp_path: Path) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.estimate = tf.function(
        lambda profile: profile, input_signature=[tf.TensorSpec((None, 768, 1), tf.float32)]
    )
    other = {"other": module.estimate.get_concrete_function()}
    tf.saved_model.save(module, str(tmp_path / "small"), signatures=other)

    with pytest.raises(ModelDamaged, match=r"no signature serving_default \(it has: other\)"):
        load_network(tmp_path / "small", "cpu")


@pytest.mark.parametrize("content", [b"no graph", b""], ids=["text", "empty"])
def test_refuses_a_folder_without_a_graph_of_tensorflow_2(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "saved_model.pb").write_bytes(content)

    with pytest.raises(ModelDamaged, match="Export the model again"):
        load_network(tmp_path, "cpu")


def test_refuses_a_model_whose_variables_are_missing(tmp_path: Path) -> None:
    folder = save_saved_model(small_keras(), tmp_path)
    for path in (folder / "variables").iterdir():
        path.unlink()

    with pytest.raises(ModelDamaged, match="not a SavedModel that TensorFlow"):
        load_network(folder, "cpu")
