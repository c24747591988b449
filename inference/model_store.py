"""Finds the installed models: those shipped with the product, and those added later."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.logs import get_logger
from core.model_choice import version_key
from inference.errors import ModelDamaged, ModelNotFound
from inference.model_card import CARD_FILE, ModelCard, read_card

_log = get_logger(__name__)

#: The models that come with the product.
SHIPPED_MODELS: Final = Path(__file__).parent / "models" / "shipped"


class ModelStore:
    """Folders of models; each model is a folder `<name>-<version>` with a card and weights.

    Parameters
    ----------
    paths
        Folders to look in, the first one first; one that does not exist holds no models.
    """

    def __init__(self, paths: Sequence[Path] = (SHIPPED_MODELS,)) -> None:
        self._paths = tuple(paths)

    def list(self) -> tuple[ModelCard, ...]:
        """Return the card of every installed model, by name, newest version first.

        Raises
        ------
        ModelDamaged
            If a folder holds a card that cannot be read.
        """
        return _ordered([read_card(folder) for folder in self._folders()])

    def readable(self) -> tuple[ModelCard, ...]:
        """Return the cards that can be read; one bad folder must not stop all models."""
        cards = []
        for folder in self._folders():
            try:
                cards.append(read_card(folder))
            except ModelDamaged as error:
                _log.warning("model_left_out", folder=folder.name, error=str(error))
        return _ordered(cards)

    def load_card(self, name: str, version: str | None = None) -> ModelCard:
        """Return the card of one model, of its newest version if none is given.

        Raises
        ------
        ModelNotFound
            If it is not installed.
        ModelDamaged
            If its card cannot be read, or its weights are not those the card describes.
        """
        cards = [read_card(folder) for folder in self._folders(name)]
        found = [card for card in cards if card.name == name and version in {None, card.version}]
        if not found:
            wanted = name if version is None else f"{name} {version}"
            raise ModelNotFound(
                f"No model {wanted} is installed. `arcuate models list` shows those that are."
            )
        card = max(found, key=lambda card: version_key(card.version))
        card.verify_weights()
        return card

    def _folders(self, name: str = "") -> tuple[Path, ...]:
        prefix = f"{name}-" if name else ""
        found = (sorted(path.glob(f"*-*/{CARD_FILE}")) for path in self._paths)
        folders = (card.parent for cards in found for card in cards)
        return tuple(folder for folder in folders if folder.name.startswith(prefix))


def _ordered(cards: Sequence[ModelCard]) -> tuple[ModelCard, ...]:
    """Return one card per name and version, the first found, by name and newest version first."""
    first: dict[tuple[str, str], ModelCard] = {}
    for card in cards:
        first.setdefault((card.name, card.version), card)
    newest_first = sorted(first.values(), key=lambda card: version_key(card.version), reverse=True)
    return tuple(sorted(newest_first, key=lambda card: card.name))
