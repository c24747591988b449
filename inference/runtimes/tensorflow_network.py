"""A network that TensorFlow runs, from whichever file it was read."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from inference.errors import OutOfMemory, PredictionFailed
from inference.runtimes.compiled_network import DeviceUsed, Port
from inference.runtimes.device import choose_gpu

TENSORFLOW: Final = f"TensorFlow {tf.__version__}"


class TensorFlowNetwork:
    """A compiled function of TensorFlow on one device.

    Parameters
    ----------
    function
        Takes a tensor for each input and gives a sequence of tensors, one for each output.
    device
        TensorFlow's name of it.
    software
        The libraries that run it, with their versions.
    """

    def __init__(
        self,
        function: Callable[..., Sequence[Any]],
        inputs: tuple[Port, ...],
        outputs: tuple[Port, ...],
        device: str,
        software: str = TENSORFLOW,
    ) -> None:
        self.inputs, self.outputs = inputs, outputs
        self._function = function
        self._device = device
        self._ran_on = device
        self._software = software

    def run(self, arrays: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Return every output for one batch; errors as `CompiledNetwork.run`."""
        try:
            with tf.device(self._device):
                outputs = self._function(*[tf.constant(array) for array in arrays])
                self._ran_on = outputs[0].device
                return [output.numpy() for output in outputs]
        except tf.errors.ResourceExhaustedError as error:
            raise OutOfMemory(
                f"{self._device} has too little memory for a batch of {len(arrays[0])}."
            ) from error
        except tf.errors.OpError as error:
            raise PredictionFailed(
                f"The network stopped on {self._device}: {error.message}"
            ) from error

    @property
    def device_used(self) -> DeviceUsed:
        """Where the tensor of the last field lay."""
        kind, _, number = self._ran_on.rpartition("/")[2].removeprefix("device:").partition(":")
        if kind != "GPU":
            return DeviceUsed(kind, self._software)
        gpu = tf.config.list_physical_devices("GPU")[int(number)]
        name = tf.config.experimental.get_device_details(gpu).get("device_name", "unnamed")
        return DeviceUsed(f"GPU:{number} {name}", self._software)


def tensorflow_device(device: str) -> str:
    """Return TensorFlow's name of a device given as `auto`, `cpu`, `gpu` or `gpu:N`.

    Raises
    ------
    DeviceUnavailable
        If it is none of these, or not there.
    """
    gpu = choose_gpu(device, count_gpus, TENSORFLOW)
    return "/CPU:0" if gpu is None else f"/GPU:{gpu}"


def count_gpus() -> int:
    """Return how many GPUs there are, each told to take memory as needed: others may work there."""
    gpus: list[Any] = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        if not tf.config.experimental.get_memory_growth(gpu):
            tf.config.experimental.set_memory_growth(gpu, enable=True)
    # GPUs would round inputs of products to 10 bits: some 0.01 dB, for no gain on a small network.
    tf.config.experimental.enable_tensor_float_32_execution(enabled=False)
    return len(gpus)
