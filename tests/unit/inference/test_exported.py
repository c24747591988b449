from pathlib import Path

import numpy as np
import pytest

from inference.errors import ModelDamaged
from inference.exported import Export
from inference.model_card import ModelCard
from tests.unit.inference.runtimes.networks import keras_model, small_keras

# Keras itself warns when it saves with TensorFlow and NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> ModelCard:
    return keras_model(tmp_path_factory.mktemp("model"), small_keras(with_spread=True))


@pytest.fixture(scope="module")
def folder(card: ModelCard, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the network was exported to."""
    exports = tmp_path_factory.mktemp("home") / "exports"
    Export.open(card, exports)
    return exports


def test_network_is_written_once_and_read_afterwards(card: ModelCard, folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    name = card.digest.removeprefix("sha256:")

    export = Export.open(card, folder)

    assert {path.name for path in before} == {f"{name}.onnx", f"{name}.npz"}
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert export.network.device_used.software.startswith("ONNX Runtime")
    assert export.original.spread_db is not None
    assert len(export.ratios) == 2


def test_export_that_was_cut_off_is_written_anew(card: ModelCard, folder: Path) -> None:
    model, facts = sorted(folder.iterdir(), key=lambda path: path.suffix, reverse=True)
    facts.unlink()
    model.write_bytes(model.read_bytes()[:100])

    Export.open(card, folder)

    assert facts.exists()
    assert len(model.read_bytes()) > 100


def test_facts_that_were_changed_are_refused(card: ModelCard, folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    facts = next(tmp_path.glob("*.npz"))
    np.savez(facts, something=1)

    with pytest.raises(ModelDamaged, match=r"is not what was written there.* it is written anew"):
        Export.open(card, tmp_path)
