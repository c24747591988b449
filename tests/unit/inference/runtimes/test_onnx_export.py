from pathlib import Path

import numpy as np
import pytest

from inference.errors import ExportRefused, RuntimeUnavailable
from inference.precisions import Precision
from inference.runtimes.register import export_to_onnx, run_onnx
from tests.unit.inference.runtimes.networks import eyes, save_keras

# Keras itself warns when it saves with TensorFlow and NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_network_with_gelu_gives_the_same_as_an_onnx_file(tmp_path: Path) -> None:
    """TensorFlow computes GELU by an operation that the exporter does not know."""
    import keras

    profile, age = keras.Input((768, 1), name="profile"), keras.Input((1,), name="age")
    sectors = keras.layers.Flatten()(keras.layers.AveragePooling1D(64)(profile))
    found = keras.layers.Concatenate()([keras.layers.Rescaling(1 / 90)(sectors), age])
    found = keras.layers.Dense(32, activation="gelu")(found)
    model = keras.Model([profile, age], keras.layers.Dense(52, name="dense_1")(found))
    path = tmp_path / "small.onnx"

    path.write_bytes(export_to_onnx(save_keras(model, tmp_path)))
    network = run_onnx(path, "cpu", Precision.FLOAT32)
    given = dict(zip(("profile", "age"), eyes(3), strict=True))
    (output,) = network.run([given[port.name] for port in network.inputs])

    assert output == pytest.approx(np.asarray(model(list(given.values()))), abs=1e-4)


def test_operation_without_a_counterpart_is_named(tmp_path: Path) -> None:
    import keras

    profile = keras.Input((768, 1), name="profile")
    odd = keras.ops.erfinv(keras.layers.Flatten()(keras.layers.Rescaling(1 / 400)(profile)))
    model = keras.Model(profile, keras.layers.Dense(52, name="dense_1")(odd))

    with pytest.raises(ExportRefused, match=r"small.keras cannot be written as ONNX: .*Erfinv"):
        export_to_onnx(save_keras(model, tmp_path))


def test_keras_on_another_library_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")

    with pytest.raises(RuntimeUnavailable, match=r"by way of TensorFlow\. Unset KERAS"):
        export_to_onnx(tmp_path / "small.keras")
