"""Which model scores on this node: by its settings, its record and its model store."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import make_url

from core.database import Database
from core.model_choice import DEFAULT_MODEL, KnownModel, chosen_model, named_model
from core.models import models_of_any_record
from core.settings import Settings
from core.tables.models import ModelState
from inference.errors import ModelDamaged
from inference.model_card import ModelCard, ModelKind
from inference.model_store import SHIPPED_MODELS, ModelStore
from inference.told_card import told_card


def open_model_store(settings: Settings) -> ModelStore:
    """Return the store of the models in the node's home and of those shipped."""
    return ModelStore((added_models(settings), SHIPPED_MODELS))


def added_models(settings: Settings) -> Path:
    """Return the folder of the models that were added to the node."""
    return settings.home / "models"


def known_models(settings: Settings) -> tuple[KnownModel, ...]:
    """Return what the node's record says of each model, and the others that are installed here.

    Where there is no node yet, what is installed is all there is.
    """
    return with_installed(_recorded_models(settings), open_model_store(settings))


def with_installed(recorded: Sequence[KnownModel], store: ModelStore) -> tuple[KnownModel, ...]:
    """Return the recorded models, and the others that are installed here as such.

    One that was only installed once and is not here any more is left out.
    """
    here = {(card.name, card.version): card for card in store.readable()}
    kept = [model for model in recorded if _key(model) in here or _was_used(model)]
    names = {_key(model) for model in kept}
    others = [
        KnownModel(card.identity, card.kind) for key, card in here.items() if key not in names
    ]
    return tuple(_with_card(model, here.get(_key(model))) for model in (*kept, *others))


def find_card(settings: Settings, name: str) -> ModelCard:
    """Return the card of `NAME:VERSION`, or of the version that `NAME` alone means.

    That is the active one, else the one last activated, else the newest that is not out of use.

    Raises
    ------
    ModelNotFound
        If it is not installed here.
    ModelDamaged
        If its files are not those it was installed with.
    """
    model = named_model(known_models(settings), name)
    return load_known(open_model_store(settings), model, name)


def active_card(settings: Settings) -> ModelCard:
    """Return the card of the model the settings mean: that for OCT scans, unless they name another.

    Raises
    ------
    ModelNotFound
        If it is not installed here.
    ModelDamaged
        If its files are not those it was installed with.
    """
    models, setting = known_models(settings), settings.model
    is_left_open = setting == DEFAULT_MODEL
    model = (
        chosen_model(models, ModelKind.PROFILE, setting)
        if is_left_open
        else named_model(models, setting)
    )
    return load_known(open_model_store(settings), model, setting)


def active_cards(settings: Settings, models: Sequence[KnownModel]) -> dict[ModelKind, ModelCard]:
    """Return the card of the model that scores each kind of input; a kind without one is not there.

    Raises
    ------
    ModelNotFound
        If the setting names a model that is not installed here, or an active one is not.
    ModelDamaged
        If its files are not those it was installed with.
    """
    store, setting = open_model_store(settings), settings.model
    if setting != DEFAULT_MODEL and named_model(models, setting) is None:
        # Never another one in its place: a misspelt setting must not choose for the operator.
        load_known(store, None, setting)
    chosen = {kind: chosen_model(models, kind, setting) for kind in ModelKind}
    if chosen[ModelKind.PROFILE] is None:
        load_known(store, None, DEFAULT_MODEL)
    return {
        kind: load_known(store, model, model.identity.name)
        for kind, model in chosen.items()
        if model is not None
    }


def load_known(store: ModelStore, model: KnownModel | None, name: str) -> ModelCard:
    """Return the card of a known model, its files as the record knows them.

    Parameters
    ----------
    name
        What was asked for: named where there is no such model.
    """
    if model is None:
        base, _, version = name.partition(":")
        return store.load_card(base, version or None)
    card = store.load_card(model.identity.name, model.identity.version)
    if card.identity != model.identity:
        raise ModelDamaged(
            f"{card.name} {card.version} was installed with other weights ({model.identity.digest})"
            f" than those here now ({card.digest}). Put the first ones back, or add these under a "
            "new version."
        )
    return card


def scoring_cards(settings: Settings, name: str | None = None) -> dict[ModelKind, ModelCard]:
    """Return the card for each kind of input that files are scored with.

    Parameters
    ----------
    name
        `NAME` or `NAME:VERSION` to score with that model alone; else those that score here.

    Raises
    ------
    ModelNotFound
        If a model is not installed here.
    ModelDamaged
        If its files are not those it was installed with.
    """
    if name is None:
        return active_cards(settings, known_models(settings))
    card = find_card(settings, name)
    return {card.kind: card}


def _recorded_models(settings: Settings) -> tuple[KnownModel, ...]:
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return ()
    database = Database(settings.database)
    try:
        return models_of_any_record(database)
    finally:
        database.close()


def _with_card(model: KnownModel, card: ModelCard | None) -> KnownModel:
    is_its_own = card is not None and card.identity == model.identity
    return replace(model, card=told_card(card)) if card is not None and is_its_own else model


def _key(model: KnownModel) -> tuple[str, str]:
    return model.identity.name, model.identity.version


def _was_used(model: KnownModel) -> bool:
    return model.state is not ModelState.INSTALLED or model.activated_at is not None
