"""A network with the inputs and outputs of its card, whatever library runs it."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from inference.errors import DeviceUnavailable, ModelDamaged, OutOfMemory
from inference.model_card import ModelCard, ModelInput
from inference.precisions import Precision
from inference.runtimes.batch_sizes import BatchSizes
from inference.runtimes.compiled_network import CompiledNetwork, DeviceUsed
from inference.runtimes.ports import match_inputs, match_outputs
from inference.runtimes.register import runtime_for

#: Batches are padded up to one of these sizes, so that few shapes are ever prepared for, and the
#: result of a scan does not depend on which others it was grouped with.
BATCH_SIZES: Final = (1, 4, 16, 64)


@dataclass(frozen=True)
class NetworkAnswer:
    """What a network says of some eyes.

    Attributes
    ----------
    sensitivities_db
        float32, shape (n, 52), right-eye order, as the network gave them.
    spread_db
        float32, shape (n, 52, 2): how far below and above the estimate typical measurements lie,
        positive; None where the network does not say.
    """

    sensitivities_db: NDArray[np.float32]
    spread_db: NDArray[np.float32] | None = None


class Network:
    """A network that answers for any number of eyes, warm.

    Parameters
    ----------
    compiled
        The network as its runtime loaded it.
    card
        What the network reads and gives.

    Raises
    ------
    ModelDamaged
        If the network does not take and give what the card says and needs.
    """

    def __init__(self, compiled: CompiledNetwork, card: ModelCard) -> None:
        label = card.weights_path.name
        self._compiled = compiled
        self._batches = BatchSizes(BATCH_SIZES)
        self._inputs = match_inputs(card.inputs, compiled.inputs, label)
        self._field, self._spread = match_outputs(compiled.outputs, card.output_layer, label)
        if card.intervals.needs_spread and self._spread is None:
            raise ModelDamaged(
                f"The intervals of {card.name} {card.version} are factors of its spread, and "
                f"{label} gives none. Export it with its output `spread`, or fit offsets."
            )
        self._warm(card.inputs[0])

    @classmethod
    def load(cls, card: ModelCard, device: str, precision: Precision = Precision.FLOAT32) -> Self:
        """Read the files of a card; its digest is not looked at, nor the precision it states.

        Raises
        ------
        ModelDamaged
            If the files are not safe to read, or are not the network of the card.
        DeviceUnavailable
            If the device is not there, or not used.
        OutOfMemory
            If its memory does not do for a single eye.
        RuntimeUnavailable
            If the library to run it with is not installed.
        """
        network = cls(runtime_for(card).load(card.weights_path, device, precision), card)
        if device.startswith("gpu") and network.device_used.device == "CPU":
            # Libraries fall back in silence where a driver does not fit them.
            raise DeviceUnavailable(
                f"{network.device_used.software} could not use {device} and ran on the processor. "
                "Check the driver and CUDA, or set ARCUATE_DEVICE to auto or cpu."
            )
        return network

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The sizes of batch it is run at, in rising order."""
        return self._batches.sizes

    def use_batches(self, sizes: tuple[int, ...]) -> None:
        """Run at other sizes of batch from now on, in rising order, the first of them 1."""
        self._batches = BatchSizes(sizes)

    @property
    def device_used(self) -> DeviceUsed:
        """Where the network ran."""
        return self._compiled.device_used

    def answer(
        self, structure: NDArray[np.float32], age_years: NDArray[np.float32]
    ) -> NetworkAnswer:
        """Return what the network says.

        Parameters
        ----------
        structure
            float32, shape (n, *shape of the card's first input).
        age_years
            float32, shape (n,); not looked at where the card names no age.

        Raises
        ------
        PredictionFailed
            If the device gave up.
        OutOfMemory
            If its memory does not do for a single eye.
        """
        parts = []
        while len(structure):
            taken = min(len(structure), self._batches.largest)
            try:
                parts.append(self._padded(structure[:taken], age_years[:taken]))
            except OutOfMemory as error:
                self._batches.halve(error)
                continue
            structure, age_years = structure[taken:], age_years[taken:]
        field = np.concatenate([outputs[self._field] for outputs in parts])
        if self._spread is None:
            return NetworkAnswer(field)
        return NetworkAnswer(field, np.concatenate([outputs[self._spread] for outputs in parts]))

    def _padded(
        self, structure: NDArray[np.float32], age_years: NDArray[np.float32]
    ) -> list[NDArray[np.float32]]:
        count = len(structure)
        size = self._batches.fitting(count)
        known = (_filled(structure, size), _filled(age_years[:, np.newaxis], size))
        outputs = self._compiled.run([known[index] for index in self._inputs])
        return [np.asarray(output[:count], dtype=np.float32) for output in outputs]

    def _warm(self, first: ModelInput) -> None:
        """Answer once at every batch size, so that no patient waits for the first of its kind."""
        for size in BATCH_SIZES:
            self.answer(np.full((size, *first.shape), 0.5, np.float32), np.full(size, 60, "f4"))


def _filled(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return an array of that length whose last entry is repeated."""
    missing = size - len(values)
    if not missing:
        return values
    return np.concatenate([values, np.repeat(values[-1:], missing, axis=0)])
