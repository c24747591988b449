"""Which model a node scores with, by its settings."""

from core.settings import Settings
from inference.model_card import ModelCard
from inference.model_store import SHIPPED_MODELS, ModelStore
from inference.predictor import Predictor


def open_model_store(settings: Settings) -> ModelStore:
    """Return the store of the models in the node's home and of those shipped."""
    return ModelStore((settings.home / "models", SHIPPED_MODELS))


def find_card(store: ModelStore, name: str) -> ModelCard:
    """Return the card of `NAME` (its newest version) or of `NAME:VERSION`."""
    base, _, version = name.partition(":")
    return store.load_card(base, version or None)


def active_card(settings: Settings) -> ModelCard:
    """Return the card of the model that scores."""
    return find_card(open_model_store(settings), settings.model)


def load_predictor(settings: Settings) -> Predictor:
    """Return the predictor that scores, warm."""
    return Predictor.load(active_card(settings), settings.device)
