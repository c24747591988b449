from pathlib import Path

import pytest
from typer.testing import CliRunner

from arcuate.cli import app
from inference.model_card import read_card
from inference.precisions import Precision
from tests.unit.inference.runtimes.networks import keras_model, small_keras


def test_comparison_without_a_watched_eye_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCUATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    ended = CliRunner().invoke(app, ["models", "compare", "retinervenet"])

    assert ended.exit_code == 0
    assert "has not watched an eye yet: `arcuate models shadow retinervenet`" in ended.stdout
    assert "mean difference" not in ended.stdout


# Keras itself warns when it saves with TensorFlow and NumPy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_precision_is_measured_and_stated_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCUATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ARCUATE_DEVICE", "cpu")
    monkeypatch.chdir(tmp_path)
    card = keras_model(tmp_path, small_keras())
    words = ["models", "check", str(card.folder), "--precision", "mixed_float16"]

    measured = CliRunner().invoke(app, words)
    before = read_card(card.folder)
    stated = CliRunner().invoke(app, [*words, "--write"])

    assert (measured.exit_code, stated.exit_code) == (0, 0)
    assert "from those in float32, 64 eyes, CPU (TensorFlow" in measured.stdout
    assert before == card
    assert read_card(card.folder).precision is Precision.MIXED_FLOAT16
