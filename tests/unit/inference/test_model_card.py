from dataclasses import replace
from pathlib import Path

import pytest

from inference.errors import ModelDamaged
from inference.model_card import CARD_FILE, read_card
from inference.model_card_writer import write_card
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
    ("text", "replacement"),
    [
        ('name = "phantom"', ""),
        ('name = "phantom"', 'name = "phantom'),
        ('name = "phantom"', 'name = "phantom"\nunheard_of = 1'),
        ('version = "1.0.0"', 'version = "new"'),
        ('weights = "phantom.keras"', 'weights = "../phantom.keras"'),
        ("lower_offsets_db = [-9.0, -5.0]", "lower_offsets_db = [-9.0]"),
    ],
    ids=[
        "entry-missing",
        "not-toml",
        "entry-unknown",
        "version",
        "weights-elsewhere",
        "intervals-short",
    ],
)
def test_read_card_refuses_a_damaged_card(tmp_path: Path, text: str, replacement: str) -> None:
    path = make_model(tmp_path).folder / CARD_FILE
    path.write_text(path.read_text().replace(text, replacement, 1))

    with pytest.raises(ModelDamaged, match="not valid"):
        read_card(path.parent)


def test_read_card_refuses_a_folder_without_card(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match="no readable"):
        read_card(tmp_path)
