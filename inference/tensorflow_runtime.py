"""The one place that runs TensorFlow: reads a network, compiles it once, keeps it warm."""

from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from core.values.prediction import FIELD_POINTS
from core.values.profile import PROFILE_SAMPLES
from inference.errors import DeviceUnavailable, ModelDamaged, PredictionFailed

#: Batches are padded up to one of these sizes, so that few shapes are ever prepared for, and the
#: result of a scan does not depend on which others it was grouped with.
BATCH_SIZES: Final = (1, 4, 16, 64)


class TensorFlowNetwork:
    """A network on one device, ready to answer.

    Parameters
    ----------
    weights
        The `.keras` file.
    device
        `auto`, `cpu`, `gpu` or `gpu:N`.

    Raises
    ------
    ModelDamaged
        If the file is not a network that Keras can read.
    DeviceUnavailable
        If the device is not there.
    """

    def __init__(self, weights: Path, device: str = "auto") -> None:
        self.device = tensorflow_device(device)
        with tf.device(self.device):
            self._compiled = _compiled(_read(weights))
        self._warm()

    def sensitivities_db(
        self, thickness_um: NDArray[np.float32], age_years: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the field in dB, shape (n, 52), for profiles (n, 768) in µm and ages (n,).

        Raises
        ------
        PredictionFailed
            If the device gave up, for example for want of memory.
        """
        largest = BATCH_SIZES[-1]
        parts = [
            self._padded(thickness_um[start : start + largest], age_years[start : start + largest])
            for start in range(0, len(age_years), largest)
        ]
        return np.concatenate(parts)

    def _padded(
        self, thickness_um: NDArray[np.float32], age_years: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        count = len(age_years)
        padding = next(size for size in BATCH_SIZES if size >= count) - count
        profiles = np.pad(thickness_um, ((0, padding), (0, 0)), mode="edge")[:, :, np.newaxis]
        ages = np.pad(age_years, (0, padding), mode="edge")[:, np.newaxis]
        try:
            with tf.device(self.device):
                field = self._compiled(tf.constant(profiles), tf.constant(ages)).numpy()
        except tf.errors.OpError as error:
            raise PredictionFailed(
                f"The network stopped on {self.device}: {error.message}"
            ) from error
        return np.asarray(field[:count], dtype=np.float32)

    def _warm(self) -> None:
        """Answer once at every batch size, so that no patient waits for the first of its kind."""
        for size in BATCH_SIZES:
            self.sensitivities_db(
                np.full((size, PROFILE_SAMPLES), 90, dtype=np.float32),
                np.full(size, 60, dtype=np.float32),
            )


def tensorflow_device(device: str) -> str:
    """Return TensorFlow's name of a device given as `auto`, `cpu`, `gpu` or `gpu:N`.

    Raises
    ------
    DeviceUnavailable
        If it is none of these, or not there.
    """
    kind, _, number = device.partition(":")
    if device == "cpu":
        return "/CPU:0"
    gpus = _gpus_growing()
    if device == "auto":
        return "/GPU:0" if gpus else "/CPU:0"
    index = number or "0"
    if kind != "gpu" or not index.isdecimal():
        raise DeviceUnavailable(f"{device!r} is no device; use auto, cpu, gpu or gpu:N.")
    if int(index) >= len(gpus):
        raise DeviceUnavailable(
            f"TensorFlow sees {len(gpus)} GPUs, so {device} is not there. Check the driver and "
            "that the GPU build is installed, or set the device to auto or cpu."
        )
    return f"/GPU:{int(index)}"


def _gpus_growing() -> list[Any]:
    """Return the GPUs, each told to take memory as needed, for others may work beside us."""
    gpus: list[Any] = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        if not tf.config.experimental.get_memory_growth(gpu):
            tf.config.experimental.set_memory_growth(gpu, enable=True)
    return gpus


def _read(weights: Path) -> Any:
    try:
        network = keras.saving.load_model(weights, compile=False)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelDamaged(
            f"{weights.name} is not a network this version of Keras can read: {error}"
        ) from error
    shapes = ([tuple(entry.shape[1:]) for entry in network.inputs], network.output_shape[1:])
    if shapes != ([(PROFILE_SAMPLES, 1), (1,)], (FIELD_POINTS,)):
        raise ModelDamaged(
            f"{weights.name} takes and gives {shapes}, not a profile of {PROFILE_SAMPLES} samples "
            f"with an age, and {FIELD_POINTS} points."
        )
    return network


def _compiled(network: Any) -> Any:
    # Traced once for any batch size. XLA is left off: it is slower on CPU.
    signature = [
        tf.TensorSpec((None, *shape), tf.float32) for shape in ((PROFILE_SAMPLES, 1), (1,))
    ]

    def estimate(profile: Any, age: Any) -> Any:
        return network([profile, age], training=False)

    return tf.function(estimate, input_signature=signature, jit_compile=False)
