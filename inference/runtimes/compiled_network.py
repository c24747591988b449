"""What every runtime offers: a network read from its files, on one device, ready to run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Port:
    """One input or output of a network.

    Attributes
    ----------
    shape
        Of one example, without the batch; None where the file leaves a length open.
    """

    name: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class DeviceUsed:
    """Where a network really ran, as its own output tells.

    Attributes
    ----------
    device
        `CPU`, or `GPU:N` with the name of the accelerator.
    software
        The libraries that ran it, with their versions.
    """

    device: str
    software: str

    def __str__(self) -> str:
        return f"{self.device} ({self.software})"


class CompiledNetwork(Protocol):
    """A network on one device."""

    @property
    def inputs(self) -> tuple[Port, ...]:
        """What `run` takes, in its order."""
        ...

    @property
    def outputs(self) -> tuple[Port, ...]:
        """What `run` gives, in its order."""
        ...

    def run(self, arrays: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Return every output for one batch of every input, each (n, *shape).

        Raises
        ------
        OutOfMemory
            If the batch does not fit the memory of the device.
        PredictionFailed
            If the device gave up for another cause.
        """
        ...

    @property
    def device_used(self) -> DeviceUsed:
        """Where the last batch ran; where the next will, before the first."""
        ...
