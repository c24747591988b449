import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from core.settings import Settings
from inference.cpu_runtime import EQUAL_DB, load_predictor
from inference.exported import Export
from inference.model_card import ModelCard
from inference.model_store import ModelStore
from inference.predictor import Predictor
from inference.probe import largest_difference_db, probe_eyes
from tests.unit.inference.runtimes.networks import keras_model, save_onnx, small_keras, small_onnx

# Keras itself warns when it saves with TensorFlow and NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> ModelCard:
    return keras_model(tmp_path_factory.mktemp("model"), small_keras())


@pytest.fixture(scope="module")
def home(card: ModelCard, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node's home in which the network was exported."""
    folder = tmp_path_factory.mktemp("home")
    Export.open(card, folder / "exports")
    return folder


@pytest.fixture
def kept(card: ModelCard, home: Path, tmp_path: Path) -> Path:
    """A copy of that home that may be spoilt."""
    (tmp_path / "exports").mkdir()
    for path in (home / "exports").iterdir():
        (tmp_path / "exports" / path.name).write_bytes(path.read_bytes())
    return tmp_path


def software(predictor: Predictor) -> str:
    return predictor.device_used.software.split()[0]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cpu_runtime": "tensorflow"}, "TensorFlow"),
        ({"cpu_runtime": "onnx"}, "ONNX"),
        ({"cpu_runtime": "onnx", "device": "cpu"}, "ONNX"),
    ],
)
def test_model_runs_on_what_the_settings_say(
    card: ModelCard, home: Path, changes: dict[str, str], expected: str
) -> None:
    settings = Settings(home=home).model_copy(update=changes)

    assert software(load_predictor(card, settings)) == expected


@pytest.mark.parametrize(("ratios", "expected"), [((1.5, 1.2), "ONNX"), ((1.5, 0.9), "TensorFlow")])
def test_the_faster_one_runs_where_the_choice_is_left_open(
    card: ModelCard, kept: Path, ratios: tuple[float, float], expected: str
) -> None:
    facts = next((kept / "exports").glob("*.npz"))
    with np.load(facts) as found:
        np.savez(facts, **{**found, "ratios": np.array(ratios)})

    predictor = load_predictor(card, Settings(home=kept, device="cpu", cpu_runtime="auto"))

    assert software(predictor) == expected


def test_export_that_gives_other_fields_is_refused_and_the_original_runs(
    card: ModelCard, kept: Path
) -> None:
    other = save_onnx(small_onnx(), kept)
    other.replace(next((kept / "exports").glob("*.onnx")))

    with capture_logs() as logs:
        predictor = load_predictor(card, Settings(home=kept, device="cpu", cpu_runtime="onnx"))

    assert software(predictor) == "TensorFlow"
    refused = next(entry for entry in logs if entry["event"] == "onnx_runtime_not_used")
    assert refused["log_level"] == "warning"
    assert "dB apart on ONNX Runtime; 0.0001 dB is allowed" in refused["cause"]


def test_start_with_an_export_loads_no_tensorflow(card: ModelCard, home: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from core.settings import Settings\n"
        "from inference.cpu_runtime import load_predictor\n"
        "from inference.model_card import read_card\n"
        "settings = Settings(home=Path(sys.argv[1]), device='cpu', cpu_runtime='onnx')\n"
        "used = load_predictor(read_card(Path(sys.argv[2])), settings).device_used\n"
        "print(used, {'tensorflow', 'keras', 'tf2onnx'} & set(sys.modules))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(home), str(card.folder)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "CPU (ONNX Runtime" in done.stdout
    assert done.stdout.strip().endswith("set()")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["retinervenet", "fundus_field"])
def test_shipped_model_gives_the_same_on_onnx_runtime(name: str, tmp_path: Path) -> None:
    card = ModelStore().load_card(name)

    export = Export.open(card, tmp_path)

    apart_db = largest_difference_db(export.network.answer(*probe_eyes(card)), export.original)
    assert apart_db <= EQUAL_DB
    assert np.ptp(export.original.sensitivities_db) > 10
