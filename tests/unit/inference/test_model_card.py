import re
from dataclasses import replace
from pathlib import Path

import pytest

from inference.errors import ModelDamaged
from inference.model_card import CARD_FILE, ModelFormat, ModelInput, ModelKind, read_card
from inference.model_card_writer import write_card
from inference.weights import weights_digest
from tests.unit.inference.cards import make_model


def test_card_is_read_as_it_was_written(tmp_path: Path) -> None:
    card = make_model(tmp_path)

    assert read_card(card.folder) == card


def test_card_without_figures_is_read_as_it_was_written(tmp_path: Path) -> None:
    card = replace(make_model(tmp_path), figures=(), interval_coverage=None)
    write_card(card)

    assert read_card(card.folder) == card


def test_card_identity_pins_the_weights(tmp_path: Path) -> None:
    card = make_model(tmp_path)

    assert card.identity.digest == card.digest
    assert card.digest.startswith("sha256:")
    card.verify_weights()


def test_verify_weights_refuses_changed_weights(tmp_path: Path) -> None:
    card = make_model(tmp_path)
    card.weights_path.write_bytes(card.weights_path.read_bytes()[:-1] + b"x")

    with pytest.raises(ModelDamaged, match=r"phantom 1\.0\.0 have digest"):
        card.verify_weights()


def test_verify_weights_refuses_missing_weights(tmp_path: Path) -> None:
    card = make_model(tmp_path)
    card.weights_path.unlink()

    with pytest.raises(ModelDamaged, match="cannot be read"):
        card.verify_weights()


@pytest.mark.parametrize(
    ("text", "replacement", "cause"),
    [
        ('name = "phantom"', "", "name: "),
        ('name = "phantom"', 'name = "phantom', "line 1"),
        ('name = "phantom"', 'name = "phantom"\nunheard_of = 1', "unheard_of: "),
        ('name = "phantom"', 'name = "../phantom"', "a name is"),
        ('name = "phantom"', "name = 3", "name: "),
        ('version = "1.0.0"', 'version = "new"', "a version is"),
        ('digest = "sha256:', 'digest = "md5:', "a digest is"),
        ('weights = "phantom.keras"', 'weights = "../phantom.keras"', "beside the card"),
        ('weights = "phantom.keras"', 'weights = ".."', "beside the card"),
        ('weights = "phantom.keras"', 'weights = "phantom.pkl"', "can run code"),
        ('format = "keras"', 'format = "pickle"', "format: "),
        ('format = "keras"', 'format = "onnx"', "end in .onnx"),
        ('name = "profile"', 'name = "macula"', "the first input"),
        ("shape = [768, 1]", "shape = [256, 1]", "the first input"),
        ('unit = "µm"', 'unit = "mm"', "the first input"),
        ('name = "age"', 'name = "sex"', "the second input"),
        ('output_layer = "dense_1"', 'output_layer = "dense_2"', "the output"),
        ('output_unit = "dB"', 'output_unit = "asb"', "the output"),
        ('without_age = "refuse"', 'without_age = "mean"', "without_age: "),
        ("[20.0, 92.0]", "[92.0, 20.0]", "trained_age_range_years"),
        ("seed = 7", 'seed = 7\ngate = "gate.npz"', "go together"),
        ("lower_offsets_db = [-9.0, -5.0]", "lower_offsets_db = [-9.0]", "intervals: "),
        ("upper_offsets_db = [8.0, 4.0]", "upper_offsets_db = [8.0, nan]", "upper_offsets_db.1: "),
        ("level = 0.9", "level = 0.9\nunheard_of = 1", "intervals.unheard_of: "),
        ("mae_db = 4.4", "mae_db = inf", "figures.0.mae_db: "),
    ],
)
def test_read_card_refuses_a_damaged_card_and_names_the_entry(
    tmp_path: Path, text: str, replacement: str, cause: str
) -> None:
    path = make_model(tmp_path).folder / CARD_FILE
    whole = path.read_text()
    path.write_text(whole.replace(text, replacement, 1))
    assert path.read_text() != whole

    with pytest.raises(ModelDamaged, match=f"not valid: .*{re.escape(cause)}"):
        read_card(path.parent)


def test_card_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = make_model(tmp_path).folder / CARD_FILE
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(ModelDamaged, match="not valid"):
        read_card(path.parent)


def test_card_from_before_formats_and_gates_is_read_with_their_defaults(tmp_path: Path) -> None:
    path = make_model(tmp_path).folder / CARD_FILE
    newer = ("format", "without_age", "limits", "gate")
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(newer)), "utf-8")

    card = read_card(path.parent)

    assert (card.kind, card.format) == (ModelKind.PROFILE, ModelFormat.KERAS)
    assert (card.without_age, card.gate, card.limits) == ("refuse", None, ())


def test_fundus_card_is_read_as_it_was_written(tmp_path: Path) -> None:
    inputs = (ModelInput("fundus", (96, 32, 3), "1"), ModelInput("age", (1,), "year"))
    card = replace(make_model(tmp_path), inputs=inputs, limits=("weaker than OCT",))
    write_card(card)

    assert read_card(card.folder) == card
    assert card.kind is ModelKind.FUNDUS


def test_verify_weights_refuses_a_changed_gate(tmp_path: Path) -> None:
    card = make_model(tmp_path)
    gate = card.folder / "gate.npz"
    gate.write_bytes(b"gate")
    gated = replace(card, gate=gate.name, gate_digest=weights_digest(gate))
    write_card(gated)
    assert read_card(card.folder) == gated
    gated.verify_weights()

    gate.write_bytes(b"another")

    with pytest.raises(ModelDamaged, match=r"gate of phantom 1\.0\.0 has digest"):
        gated.verify_weights()


def test_weights_in_a_folder_are_verified_whole(tmp_path: Path) -> None:
    card = make_model(tmp_path)
    folder = card.folder / "network"
    (folder / "variables").mkdir(parents=True)
    (folder / "variables" / "values").write_bytes(b"1")
    kept = replace(
        card, format=ModelFormat.SAVEDMODEL, weights="network", digest=weights_digest(folder)
    )
    kept.verify_weights()

    (folder / "assets").write_bytes(b"one more")

    with pytest.raises(ModelDamaged, match="digest"):
        kept.verify_weights()


def test_read_card_refuses_a_folder_without_card(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match="no readable"):
        read_card(tmp_path)
