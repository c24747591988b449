"""Which models score in a demo: one of every kind that comes with the product."""

from arcuate.node import Node
from core.models import activate_model, register_models
from inference.loading import known_models, open_model_store
from inference.model_card import ModelKind


def activate_other_kinds(node: Node) -> None:
    """Activate the newest model of each kind but that for OCT scans, which always scores.

    On a node of one's own that is a person's decision, made by `arcuate models activate`.
    """
    cards = {card.kind: card for card in reversed(open_model_store(node.settings).list())}
    with node.database.transaction() as session:
        register_models(session, known_models(node.settings))
        for kind, card in cards.items():
            if kind is not ModelKind.PROFILE:
                activate_model(session, card.identity, node.settings.model)
