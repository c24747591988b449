from dataclasses import replace

import pytest

from core.settings import Settings
from inference.errors import ModelDamaged, ModelNotFound
from inference.loading import active_card, find_card, load_predictor, open_model_store
from inference.model_store import SHIPPED_MODELS
from tests.unit.inference.cards import make_model


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path, model="retinervenet", device="cpu")


def test_node_scores_with_the_shipped_model_by_default(settings: Settings) -> None:
    card = active_card(settings)

    assert (card.name, card.version) == ("retinervenet", "1.0.0")
    assert card.folder.parent == SHIPPED_MODELS


def test_name_alone_means_the_newest_version(settings: Settings) -> None:
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        make_model(settings.home / "models", version=version)
    store = open_model_store(settings)

    assert find_card(store, "phantom").version == "1.10.0"
    assert find_card(store, "phantom:1.2.0").version == "1.2.0"


def test_model_of_the_home_goes_before_the_shipped_one(settings: Settings) -> None:
    own = make_model(settings.home / "models", "retinervenet", "1.0.0")

    assert active_card(settings).folder == own.folder


@pytest.mark.parametrize("name", ["nobody", "retinervenet:9.9.9"])
def test_model_that_is_not_installed_is_named(settings: Settings, name: str) -> None:
    with pytest.raises(ModelNotFound, match=name.replace(":", " ")):
        find_card(open_model_store(settings), name)


def test_changed_weights_never_score(settings: Settings) -> None:
    card = make_model(settings.home / "models")
    card.weights_path.write_bytes(b"other weights")

    with pytest.raises(ModelDamaged):
        load_predictor(settings.model_copy(update={"model": "phantom"}))


def test_weights_that_are_no_network_never_score(settings: Settings) -> None:
    make_model(settings.home / "models")

    with pytest.raises(ModelDamaged, match="not a network"):
        load_predictor(settings.model_copy(update={"model": "phantom"}))


def test_loaded_predictor_is_the_one_of_the_settings(settings: Settings) -> None:
    predictor = load_predictor(settings)

    assert predictor.identity == active_card(settings).identity
    assert predictor.card == replace(active_card(settings))
