"""Finds the installed models: those shipped with the product, and those added later."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from inference.errors import ModelNotFound
from inference.model_card import CARD_FILE, ModelCard, read_card

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
        cards: dict[tuple[str, str], ModelCard] = {}
        for folder in self._folders("*-*"):
            card = read_card(folder)
            cards.setdefault((card.name, card.version), card)
        newest_first = sorted(cards.values(), key=_version, reverse=True)
        return tuple(sorted(newest_first, key=lambda card: card.name))

    def load_card(self, name: str, version: str | None = None) -> ModelCard:
        """Return the card of one model, of its newest version if none is given.

        Raises
        ------
        ModelNotFound
            If it is not installed.
        ModelDamaged
            If its card cannot be read, or its weights are not those the card describes.
        """
        cards = [read_card(folder) for folder in self._folders(f"{name}-*")]
        found = [card for card in cards if card.name == name and version in {None, card.version}]
        if not found:
            wanted = name if version is None else f"{name} {version}"
            raise ModelNotFound(
                f"No model {wanted} is installed. `arcuate models list` shows those that are."
            )
        card = max(found, key=_version)
        card.verify_weights()
        return card

    def _folders(self, pattern: str) -> tuple[Path, ...]:
        found = (sorted(path.glob(f"{pattern}/{CARD_FILE}")) for path in self._paths)
        return tuple(card.parent for cards in found for card in cards)


def _version(card: ModelCard) -> tuple[int, ...]:
    return tuple(int(part) for part in card.version.split("."))
