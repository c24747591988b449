from pathlib import Path

import numpy as np
import pytest

from inference.errors import DeviceUnavailable, ModelDamaged
from inference.runtimes.compiled_network import Port
from inference.runtimes.keras_tensorflow import load_network
from tests.unit.inference.runtimes.networks import save_keras, small_keras

# Keras itself warns when it saves with TensorFlow and NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_names_its_inputs_and_outputs(tmp_path: Path) -> None:
    network = load_network(save_keras(small_keras(with_spread=True), tmp_path), "cpu")

    assert network.inputs == (Port("profile", (768, 1)), Port("age", (1,)))
    assert network.outputs == (Port("dense_1", (52,)), Port("spread", (52, 2)))


def test_gives_what_keras_gives(tmp_path: Path) -> None:
    model = small_keras(with_spread=True)
    network = load_network(save_keras(model, tmp_path), "cpu")
    rng = np.random.default_rng(5)
    inputs = [
        rng.uniform(30, 150, (3, 768, 1)).astype(np.float32),
        rng.uniform(30, 90, (3, 1)).astype(np.float32),
    ]

    found = network.run(inputs)

    for output, expected in zip(found, model(inputs), strict=True):
        assert output == pytest.approx(np.asarray(expected), abs=1e-4)


def test_says_which_device_ran(tmp_path: Path) -> None:
    network = load_network(save_keras(small_keras(), tmp_path), "cpu")
    network.run([np.ones((1, 768, 1), np.float32), np.ones((1, 1), np.float32)])

    assert network.device_used.device == "CPU"
    assert network.device_used.software.startswith("TensorFlow 2.")
    assert ", Keras 3." in network.device_used.software


def test_refuses_a_device_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeviceUnavailable, match="gpu:99 is not there"):
        load_network(save_keras(small_keras(), tmp_path), "gpu:99")


def test_refuses_a_file_whose_weights_are_cut(tmp_path: Path) -> None:
    from zipfile import ZipFile

    whole = save_keras(small_keras(), tmp_path)
    cut = tmp_path / "cut.keras"
    with ZipFile(whole) as source, ZipFile(cut, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name)[: 100 if name.endswith(".h5") else None])

    with pytest.raises(ModelDamaged, match="not a network Keras"):
        load_network(cut, "cpu")
