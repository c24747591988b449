import json

from inference.model_store import SHIPPED_MODELS, ModelStore
from inference.told_card import told_card


def test_every_shipped_card_is_told_as_json_without_places_on_this_host() -> None:
    for card in ModelStore((SHIPPED_MODELS,)).list():
        told = told_card(card)

        assert json.loads(json.dumps(told)) == told
        assert (told["name"], told["version"], told["digest"]) == (
            card.name,
            card.version,
            card.digest,
        )
        assert told["not_for"] == list(card.not_for)
        assert told["figures"][0]["mae_db"] == card.figures[0].mae_db
        assert str(card.folder) not in json.dumps(told)
