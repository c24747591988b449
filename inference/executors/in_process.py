"""Computes in the process that claims the jobs."""

from dataclasses import dataclass

from core.settings import Settings
from inference.cpu_runtime import load_network_here
from inference.model_card import ModelCard
from inference.runtimes.network import Network


@dataclass(frozen=True)
class InProcess:
    """The runtimes installed here.

    Attributes
    ----------
    settings
        On which device, and what runs a network on the processor.
    """

    settings: Settings

    def network(self, card: ModelCard) -> Network:
        """Return the network of a card; errors as `Network.load`."""
        return load_network_here(card, self.settings)
