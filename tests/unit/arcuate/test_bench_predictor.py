from pathlib import Path

import pytest

from arcuate.bench.inference_choices import RuntimeName
from arcuate.bench.predictor import COLUMNS, choose_keras_library, measure_predictor
from core.settings import Settings
from inference.errors import RuntimeUnavailable
from tests.unit.inference.runtimes.networks import keras_model, small_keras


# Keras itself warns when it saves with TensorFlow and NumPy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_each_runtime_has_a_row_for_each_batch(tmp_path: Path) -> None:
    card = keras_model(tmp_path, small_keras())
    settings = Settings(home=tmp_path / "home", device="cpu")
    runtimes = [RuntimeName.TENSORFLOW, RuntimeName.ONNX]

    rows = list(measure_predictor(card, settings, runtimes, [1, 128], 0.01))

    assert [(row["batch"], row["runtime"]) for row in rows] == [
        *((1, "tensorflow"), (1, "onnx"), (128, "tensorflow"), (128, "onnx"))
    ]
    assert [tuple(row) for row in rows] == [COLUMNS] * 4
    assert rows[0]["times_as_fast"] == 1
    assert str(rows[1]["device"]).startswith("CPU (ONNX Runtime")
    assert rows[0]["gpu"] is None


def test_two_libraries_of_keras_are_not_measured_in_one_process() -> None:
    with pytest.raises(RuntimeUnavailable, match="one library a process"):
        choose_keras_library([RuntimeName.TENSORFLOW, RuntimeName.JAX])
