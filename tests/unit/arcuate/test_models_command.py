import json
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from arcuate.cli import app
from core.database import Database
from core.model_history import NothingToUndo
from core.tables.audit_entries import WaitingAuditRow
from inference.model_card import read_card
from inference.precisions import Precision
from tests.unit.inference.runtimes.networks import keras_model, small_keras
from tests.unit.inference.small_models import small_model


def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands of a test find their node there."""
    monkeypatch.setenv("ARCUATE_HOME", str(home))
    monkeypatch.setenv("ARCUATE_DEVICE", "cpu")
    monkeypatch.chdir(home)


def called(*words: str) -> Any:
    ended = CliRunner().invoke(app, ["models", *words, "--json"])
    assert ended.exit_code == 0, ended.output
    return json.loads(ended.stdout)


def test_comparison_without_a_watched_eye_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home(tmp_path, monkeypatch)

    ended = CliRunner().invoke(app, ["models", "compare", "fundus_field", "retinervenet"])

    assert ended.exit_code == 0
    assert "have not looked at the same eye yet: `arcuate models shadow" in ended.stdout
    assert "mean difference" not in ended.stdout


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_activation_is_undone_by_one_command_and_both_are_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home(tmp_path, monkeypatch)
    small_model(tmp_path / "new")
    called("add", str(next((tmp_path / "new").iterdir())))
    called("activate", "smallnet:1.0.0")

    undone = called("undo")
    again = called("undo", "--kind", "profile")

    assert (undone["name"], again["name"]) == ("retinervenet", "smallnet")
    states = {model["name"]: model["state"] for model in called("list")}
    assert (states["retinervenet"], states["smallnet"]) == ("installed", "active")
    changes = [(row["name"], row["state"]) for row in called("history")]
    assert changes[::-1] == [
        ("retinervenet", "active"),
        *(("retinervenet", "installed"), ("smallnet", "active")),
        *(("smallnet", "installed"), ("retinervenet", "active")),
        *(("retinervenet", "installed"), ("smallnet", "active")),
    ]
    database = Database(f"sqlite:///{tmp_path / 'arcuate.db'}")
    with database.reading() as session:
        commands = [row.detail["command"] for row in session.exec(select(WaitingAuditRow)).all()]
    database.close()
    assert commands.count("models undo") == 2


def test_without_an_activation_there_is_nothing_to_undo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home(tmp_path, monkeypatch)

    ended = CliRunner().invoke(app, ["models", "undo"])

    assert ended.exit_code == 1
    assert isinstance(ended.exception, NothingToUndo) or "arcuate models history" in ended.output


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
