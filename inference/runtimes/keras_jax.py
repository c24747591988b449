"""Runs `.keras` files on JAX; loads no TensorFlow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import jax
import keras
import numpy as np
from numpy.typing import NDArray

from inference.errors import OutOfMemory, PredictionFailed
from inference.precisions import Precision
from inference.runtimes.compiled_network import DeviceUsed, Port
from inference.runtimes.device import choose_gpu
from inference.runtimes.keras_file import KERAS, as_built, keras_ports, read_keras
from inference.runtimes.keras_precision import in_precision

#: How the status begins that XLA names where memory ends; it has no class of its own.
_NO_MEMORY: Final = "RESOURCE_EXHAUSTED"
_JAX: Final = f"JAX {jax.__version__}"


def load_network(
    weights: Path, device: str, precision: Precision = Precision.FLOAT32
) -> "JaxNetwork":
    """Return the network in that file on that device; errors as `Network.load`."""
    placed = jax_device(device)
    with jax.default_device(placed):
        return JaxNetwork(in_precision(read_keras(weights), precision), placed)


class JaxNetwork:
    """A Keras network compiled by JAX for one device."""

    def __init__(self, network: keras.Model, device: jax.Device) -> None:
        self.inputs: tuple[Port, ...]
        self.outputs: tuple[Port, ...]
        self.inputs, self.outputs = keras_ports(network)
        self._device = device
        self._ran_on = device
        # Handed over with each batch: as constants of the program they would be folded into it.
        self._weights = jax.device_put(
            [
                [variable.value for variable in variables]
                for variables in (network.trainable_variables, network.non_trainable_variables)
            ],
            device,
        )
        self._compiled = jax.jit(_stateless(network))

    def run(self, arrays: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Return every output for one batch; errors as `CompiledNetwork.run`."""
        try:
            # GPUs would round inputs of products to 10 bits, for no gain on a small network.
            with jax.default_matmul_precision("highest"):
                outputs = self._compiled(self._weights, jax.device_put(list(arrays), self._device))
            (self._ran_on,) = outputs[0].devices()
            return [np.asarray(output) for output in outputs]
        except jax.errors.JaxRuntimeError as error:
            if str(error).startswith(_NO_MEMORY):
                raise OutOfMemory(
                    f"{self._device} has too little memory for a batch of {len(arrays[0])}."
                ) from error
            raise PredictionFailed(f"The network stopped on {self._device}: {error}") from error

    @property
    def device_used(self) -> DeviceUsed:
        """Where the array of the last field lay."""
        found = self._ran_on
        name = "CPU" if found.platform == "cpu" else f"GPU:{found.id} {found.device_kind}"
        return DeviceUsed(name, f"{_JAX}, {KERAS}")


def jax_device(device: str) -> jax.Device:
    """Return JAX's device for `auto`, `cpu`, `gpu` or `gpu:N`.

    Raises
    ------
    DeviceUnavailable
        If it is none of these, or not there.
    """
    gpu = choose_gpu(device, count_gpus, _JAX)
    return jax.devices("cpu")[0] if gpu is None else _gpus()[gpu]


def count_gpus() -> int:
    """Return how many GPUs JAX sees."""
    return len(_gpus())


def _gpus() -> list[jax.Device]:
    try:
        return jax.devices("gpu")
    except RuntimeError:
        # What JAX says where no such platform is installed or answers.
        return []


def _stateless(network: keras.Model) -> Any:
    def estimate(weights: Any, inputs: Any) -> Any:
        outputs, _ = network.stateless_call(*weights, as_built(network, inputs), training=False)
        return jax.tree.leaves(outputs)

    return estimate
