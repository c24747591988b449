"""What every executor offers: the network of a card, ready to answer."""

from typing import Protocol

from inference.model_card import ModelCard
from inference.predictor import AnsweringNetwork


class Executor(Protocol):
    """Something that computes: prepared structures and ages in, fields out, and nothing else.

    It keeps no job and no result. The ledger says what is to be done, and a worker of ours records
    what came out.
    """

    def network(self, card: ModelCard) -> AnsweringNetwork:
        """Return the network of a card whose weights were verified, warm.

        Raises
        ------
        ModelDamaged
            If what would compute is not the network of the card.
        ExecutorAway
            If it does not answer now.
        NodeError
            If it cannot be used here: its library or its device is missing.
        """
        ...
