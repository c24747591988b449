import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.errors import ModelAddingRefused, ModelDamaged
from inference.model_adding import add_model
from inference.model_card import CARD_FILE, ModelCard, ModelFormat, read_card
from inference.model_card_writer import write_card
from inference.model_store import ModelStore
from inference.model_trial import try_model
from inference.profile_gate import ProfileGate
from inference.weights import weights_digest
from tests.unit.inference.cards import make_model
from tests.unit.inference.small_models import small_model

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def accept(_card: ModelCard) -> None:
    """Try nothing: the model is as good as its files."""


def refuse(_card: ModelCard) -> None:
    raise ModelDamaged("it gives nonsense")


def add(card: ModelCard, home: Path, trial=accept) -> ModelCard:
    return add_model(card.folder, home, ModelStore([home]), trial)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_added_model_is_a_copy_that_is_found_and_whole(tmp_path: Path) -> None:
    card = make_model(tmp_path / "downloads")
    (card.folder / "training.log").write_text("not part of the model")

    added = add(card, tmp_path / "models")

    assert ModelStore([tmp_path / "models"]).load_card("phantom") == added
    assert replace(added, folder=card.folder) == card
    assert files(tmp_path / "models") == {"phantom-1.0.0/card.toml", "phantom-1.0.0/phantom.keras"}


def test_model_in_a_folder_and_its_gate_are_copied_whole(tmp_path: Path) -> None:
    card = make_model(tmp_path / "downloads")
    network, gate = card.folder / "network", card.folder / "gate.npz"
    (network / "variables").mkdir(parents=True)
    for path in (network / "saved_model.pb", network / "variables" / "values"):
        path.write_bytes(path.name.encode())
    one = np.ones(1)
    ProfileGate(np.ones(96), np.ones((96, 1)), one, np.ones(3), np.ones(5)).save(gate)
    whole = replace(
        card,
        format=ModelFormat.SAVEDMODEL,
        weights="network",
        digest=weights_digest(network),
        gate=gate.name,
        gate_digest=weights_digest(gate),
    )
    write_card(whole)

    added = add(whole, tmp_path / "models")

    assert files(added.folder) == {
        "card.toml",
        "gate.npz",
        "network/saved_model.pb",
        "network/variables/values",
    }


def test_what_is_tried_is_the_copy(tmp_path: Path) -> None:
    card = make_model(tmp_path / "downloads")
    tried: list[ModelCard] = []

    add(card, tmp_path / "models", tried.append)

    assert [found.identity for found in tried] == [card.identity]
    assert tried[0].folder.is_relative_to(tmp_path / "models")


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
def test_refused_model_leaves_the_others_as_they_were(tmp_path: Path, version: str) -> None:
    home = tmp_path / "models"
    kept = add(make_model(tmp_path / "downloads"), home)
    before = files(home)

    with pytest.raises(ModelDamaged, match="nonsense"):
        add(make_model(tmp_path / "more", "other", version), home, refuse)

    assert files(home) == before
    kept.verify_weights()


def test_same_model_twice_is_installed_once(tmp_path: Path) -> None:
    card = make_model(tmp_path / "downloads")

    assert add(card, tmp_path / "models") == add(card, tmp_path / "models", refuse)


def test_same_version_with_other_weights_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "models"
    kept = add(make_model(tmp_path / "downloads"), home)
    other = make_model(tmp_path / "others", content=b"better weights")

    with pytest.raises(ModelAddingRefused, match="a version is given once"):
        add(other, home)

    assert read_card(kept.folder) == kept
    kept.verify_weights()


def test_same_weights_under_another_name_are_refused(tmp_path: Path) -> None:
    home = tmp_path / "models"
    add(make_model(tmp_path / "downloads", content=b"weights"), home)
    renamed = make_model(tmp_path / "others", "renamed", content=b"weights")

    with pytest.raises(ModelAddingRefused, match=r"installed as phantom 1\.0\.0"):
        add(renamed, home)


def test_versions_stand_side_by_side(tmp_path: Path) -> None:
    home = tmp_path / "models"
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        add(make_model(tmp_path / "downloads", version=version), home)

    found = ModelStore([home]).list()

    assert [card.version for card in found] == ["2.0.0", "1.1.0", "1.0.0"]
    assert len({card.digest for card in found}) == 3


def test_folder_in_the_way_is_not_overwritten(tmp_path: Path) -> None:
    in_the_way = tmp_path / "models" / "phantom-1.0.0" / "notes.txt"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("mine")

    with pytest.raises(ModelAddingRefused, match="is taken"):
        add(make_model(tmp_path / "downloads"), tmp_path / "models")

    assert files(tmp_path / "models") == {"phantom-1.0.0/notes.txt"}
    assert in_the_way.read_text() == "mine"


def test_wrong_digest_missing_weights_and_damaged_card_are_refused(tmp_path: Path) -> None:
    changed = make_model(tmp_path / "a")
    changed.weights_path.write_bytes(b"changed")
    missing = make_model(tmp_path / "b")
    missing.weights_path.unlink()
    damaged = make_model(tmp_path / "c")
    (damaged.folder / CARD_FILE).write_text("name = ")

    for card, cause in ((changed, "digest"), (missing, "cannot be read"), (damaged, "not valid")):
        with pytest.raises(ModelDamaged, match=cause):
            add(card, tmp_path / "models")

    assert not (tmp_path / "models").exists()


def test_network_that_works_is_added_after_its_trial(tmp_path: Path) -> None:
    card = small_model(tmp_path / "downloads")

    added = add(card, tmp_path / "models", try_model)

    assert added.identity == card.identity


def test_network_whose_answers_are_no_numbers_is_refused(tmp_path: Path) -> None:
    import keras

    profile, age = keras.Input((768, 1), name="profile"), keras.Input((1,), name="age")
    bias = keras.initializers.Constant(math.nan)
    features = keras.layers.Concatenate()([keras.layers.Flatten()(profile), age])
    field = keras.layers.Dense(52, bias_initializer=bias, name="dense_1")(features)
    card = small_model(tmp_path / "downloads", network=keras.Model([profile, age], field))

    with pytest.raises(ModelDamaged, match="no finite field"):
        add(card, tmp_path / "models", try_model)

    assert files(tmp_path / "models") == set()


def test_network_with_code_in_it_is_refused(tmp_path: Path) -> None:
    import keras

    profile, age = keras.Input((768, 1), name="profile"), keras.Input((1,), name="age")
    features = keras.layers.Concatenate()([keras.layers.Flatten()(profile), age])
    code = keras.layers.Lambda(lambda x: x[:, :52], output_shape=(52,), name="dense_1")
    card = small_model(tmp_path / "downloads", network=keras.Model([profile, age], code(features)))

    with pytest.raises(ModelDamaged, match=r"(?i)lambda"):
        add(card, tmp_path / "models", try_model)

    assert files(tmp_path / "models") == set()


def test_pickle_behind_a_harmless_name_is_refused(tmp_path: Path) -> None:
    import pickle

    card = make_model(tmp_path / "downloads", content=pickle.dumps({"weights": [1.0]}))

    with pytest.raises(ModelDamaged, match="pickle"):
        add(card, tmp_path / "models", try_model)


def test_gate_that_is_no_gate_is_refused(tmp_path: Path) -> None:
    card = make_model(tmp_path / "downloads")
    gate = card.folder / "gate.npz"
    np.savez(gate, limits=np.zeros(5))
    gated = replace(card, gate=gate.name, gate_digest=weights_digest(gate))
    write_card(gated)

    with pytest.raises(ModelDamaged, match="no gate for profiles"):
        add(gated, tmp_path / "models")
