from pathlib import Path

import pytest

from inference.errors import ModelDamaged, ModelNotFound
from inference.model_card import CARD_FILE
from inference.model_store import ModelStore
from tests.unit.inference.cards import make_model


def test_list_gives_every_model_by_name_newest_first(tmp_path: Path) -> None:
    for name, version in (("a", "1.9.0"), ("a", "1.10.0"), ("b", "0.1.0")):
        make_model(tmp_path, name, version)

    found = [(card.name, card.version) for card in ModelStore([tmp_path]).list()]

    assert found == [("a", "1.10.0"), ("a", "1.9.0"), ("b", "0.1.0")]


def test_list_of_a_missing_folder_is_empty(tmp_path: Path) -> None:
    assert ModelStore([tmp_path / "models"]).list() == ()


def test_load_card_gives_the_newest_or_the_asked_version(tmp_path: Path) -> None:
    for version in ("1.9.0", "1.10.0"):
        make_model(tmp_path, "a", version)
    store = ModelStore([tmp_path])

    assert store.load_card("a").version == "1.10.0"
    assert store.load_card("a", "1.9.0").version == "1.9.0"


def test_load_card_prefers_the_folder_named_first(tmp_path: Path) -> None:
    own, shipped = make_model(tmp_path / "own"), make_model(tmp_path / "shipped")

    card = ModelStore([own.folder.parent, shipped.folder.parent]).load_card("phantom")

    assert card.folder == own.folder


@pytest.mark.parametrize(("name", "version"), [("retina", None), ("phantom", "2.0.0")])
def test_load_card_names_what_is_not_installed(
    tmp_path: Path, name: str, version: str | None
) -> None:
    make_model(tmp_path)

    with pytest.raises(ModelNotFound, match=name):
        ModelStore([tmp_path]).load_card(name, version)


def test_load_card_refuses_changed_weights(tmp_path: Path) -> None:
    make_model(tmp_path).weights_path.write_bytes(b"others")

    with pytest.raises(ModelDamaged, match="digest"):
        ModelStore([tmp_path]).load_card("phantom")


def test_load_card_is_not_disturbed_by_another_model_that_is_damaged(tmp_path: Path) -> None:
    make_model(tmp_path, "a")
    (make_model(tmp_path, "b").folder / CARD_FILE).write_text("damaged")
    store = ModelStore([tmp_path])

    assert store.load_card("a").name == "a"
    with pytest.raises(ModelDamaged, match=r"b-1\.0\.0"):
        store.list()


def test_shipped_model_is_installed_and_whole() -> None:
    card = ModelStore().load_card("retinervenet", "2.1.0")

    assert card.output_layer == "dense_1"
    assert [entry.name for entry in card.inputs] == ["profile", "age"]
