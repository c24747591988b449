"""Computes in the process that claims the jobs."""

from dataclasses import dataclass

from inference.model_card import ModelCard
from inference.runtimes.network import Network


@dataclass(frozen=True)
class InProcess:
    """The runtimes installed here.

    Attributes
    ----------
    device
        `auto`, `cpu`, `gpu` or `gpu:N`.
    """

    device: str

    def network(self, card: ModelCard) -> Network:
        """Return the network of a card; errors as `Network.load`."""
        return Network.load(card, self.device)
