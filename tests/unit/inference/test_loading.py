from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.database import Database
from core.migrations.schema import migrate
from core.model_choice import KnownModel
from core.models import activate_model, list_models, register_models
from core.settings import Settings
from core.tables.models import ModelState
from inference.errors import ModelDamaged, ModelNotFound
from inference.loading import (
    active_card,
    active_cards,
    find_card,
    known_models,
    load_known,
    open_model_store,
    scoring_cards,
    with_installed,
)
from inference.model_card import CARD_FILE, ModelCard, ModelKind
from inference.model_store import SHIPPED_MODELS
from tests.unit.inference.cards import make_model

AT = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, device="cpu")


def choose(settings: Settings, model: str) -> Settings:
    return settings.model_copy(update={"model": model})


def activate(settings: Settings, card: ModelCard) -> None:
    """Activate a model in the node's record, made where there is none."""
    database = Database(settings.database)
    migrate(database)
    with database.transaction() as session:
        register_models(session, [KnownModel(card.identity, card.kind)], AT)
        activate_model(session, card.identity, settings.model, AT)
    database.close()


def test_node_scores_with_the_shipped_model_by_default(settings: Settings) -> None:
    card = active_card(settings)

    assert card.name == "retinervenet"
    assert card.folder.parent == SHIPPED_MODELS
    assert scoring_cards(settings) == {ModelKind.PROFILE: card}


def test_name_alone_means_the_newest_version(settings: Settings) -> None:
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        make_model(settings.home / "models", version=version)

    assert find_card(settings, "phantom").version == "1.10.0"
    assert find_card(settings, "phantom:1.2.0").version == "1.2.0"
    assert active_card(choose(settings, "phantom")).version == "1.10.0"


def test_name_alone_means_the_active_version(settings: Settings) -> None:
    make_model(settings.home / "models", version="2.0.0")
    activate(settings, make_model(settings.home / "models", version="1.0.0"))

    assert find_card(settings, "phantom").version == "1.0.0"
    assert active_card(settings).identity == find_card(settings, "phantom").identity


def test_named_model_scores_its_kind_alone(settings: Settings) -> None:
    make_model(settings.home / "models", kind=ModelKind.FUNDUS)

    assert set(scoring_cards(settings, "phantom")) == {ModelKind.FUNDUS}
    both = scoring_cards(choose(settings, "phantom"))
    assert {kind: card.name for kind, card in both.items()} == {
        ModelKind.FUNDUS: "phantom",
        ModelKind.PROFILE: "retinervenet",
    }


def test_model_of_the_home_goes_before_the_shipped_one(settings: Settings) -> None:
    version = active_card(settings).version
    own = make_model(settings.home / "models", "retinervenet", version)

    assert active_card(settings).folder == own.folder


@pytest.mark.parametrize("name", ["nobody", "retinervenet:9.9.9"])
def test_model_that_is_not_installed_is_named(settings: Settings, name: str) -> None:
    named = name.replace(":", " ")

    with pytest.raises(ModelNotFound, match=named):
        find_card(settings, name)
    with pytest.raises(ModelNotFound, match=named):
        active_card(choose(settings, name))
    # Not even where another model is active: a misspelt setting chooses nothing.
    with pytest.raises(ModelNotFound, match=named):
        scoring_cards(choose(settings, name))


def test_changed_weights_never_score(settings: Settings) -> None:
    card = make_model(settings.home / "models")
    card.weights_path.write_bytes(b"other weights")

    with pytest.raises(ModelDamaged):
        active_card(choose(settings, "phantom"))


def test_other_weights_under_an_activated_version_never_score(settings: Settings) -> None:
    card = make_model(settings.home / "models")
    activate(settings, card)
    (card.folder / CARD_FILE).rename(settings.home / "kept.toml")
    make_model(settings.home / "models", content=b"other weights", exist_ok=True)

    with pytest.raises(ModelDamaged, match="was installed with other weights"):
        active_card(settings)


def test_active_model_that_is_gone_is_missed_not_replaced(settings: Settings) -> None:
    card = make_model(settings.home / "models")
    activate(settings, card)
    (card.folder / CARD_FILE).unlink()

    with pytest.raises(ModelNotFound, match=r"phantom 1\.0\.0"):
        active_cards(settings, known_models(settings))


def test_installed_model_that_is_gone_is_forgotten(settings: Settings) -> None:
    gone = KnownModel(replace(make_model(settings.home / "x").identity, name="gone"), "profile")
    retired = replace(gone, state=ModelState.RETIRED)

    store = open_model_store(settings)
    assert gone not in with_installed([gone], store)
    assert retired in with_installed([retired], store)


def test_one_damaged_card_hides_no_other_model(settings: Settings) -> None:
    make_model(settings.home / "models", "other")
    (make_model(settings.home / "models").folder / CARD_FILE).write_text("damaged")

    names = {model.identity.name for model in known_models(settings)}

    assert {"other", "retinervenet"} <= names
    assert "phantom" not in names


def test_looking_at_models_makes_no_database(settings: Settings) -> None:
    known_models(settings)

    assert list(settings.home.iterdir()) == []


def test_what_the_record_says_goes_before_what_is_installed(settings: Settings) -> None:
    card = make_model(settings.home / "models")
    activate(settings, card)

    (phantom,) = [model for model in known_models(settings) if model.identity.name == "phantom"]

    assert (phantom.state, phantom.activated_at) == (ModelState.ACTIVE, AT)
    assert load_known(open_model_store(settings), phantom, "phantom").identity == card.identity
    database = Database(settings.database)
    with database.reading() as session:
        assert list_models(session) == (phantom,)
    database.close()
