"""The runtimes: a new one is a file in this folder and a line in this tuple."""

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from inference.errors import ModelDamaged, RuntimeUnavailable
from inference.model_card import ModelCard, ModelFormat
from inference.precisions import Precision
from inference.runtimes.compiled_network import CompiledNetwork
from inference.runtimes.unneeded import left_out
from inference.runtimes.weights_format import weights_format

#: Read by Keras itself, once, on import: the operator's choice of the library below it.
KERAS_BACKEND: Final = "KERAS_BACKEND"


@dataclass(frozen=True)
class Runtime:
    """One way to run one format of network.

    Attributes
    ----------
    load
        Reads a network onto a device, in a precision where its form leaves that open; imports its
        libraries only then. What it raises stands at `Network.load`.
    keras_backend
        The value of `KERAS_BACKEND` it serves, None where that does not matter.
    """

    format: ModelFormat
    load: Callable[[Path, str, Precision], CompiledNetwork]
    keras_backend: str | None = None


def runtime_for(card: ModelCard) -> Runtime:
    """Return what runs the network of a card.

    Raises
    ------
    ModelDamaged
        If it is no network that is read, cannot be read safely, or is kept otherwise than the card
        says.
    RuntimeUnavailable
        If Keras is told to run on a library that is not served.
    """
    found = weights_format(card.weights_path)
    if found is not card.format:
        raise ModelDamaged(
            f'{card.weights} is kept as {found}, and its card says format = "{card.format}". Mend '
            "the card, or give the weights it was written for."
        )
    backend = os.environ.setdefault(KERAS_BACKEND, "tensorflow")
    for runtime in RUNTIMES:
        if runtime.format is found and runtime.keras_backend in {None, backend}:
            return runtime
    served = " or ".join(str(known.keras_backend) for known in RUNTIMES if known.keras_backend)
    raise RuntimeUnavailable(
        f"{KERAS_BACKEND} is {backend}, and a Keras file runs on {served}. Set it to one of these, "
        "or unset it."
    )


def count_gpus() -> int:
    """Return how many GPUs the library sees that runs Keras files here; asking takes some of each.

    Raises
    ------
    ModuleNotFoundError
        If that library is not installed.
    """
    if os.environ.setdefault(KERAS_BACKEND, "tensorflow") == "jax":
        _set_up_jax()
        from inference.runtimes import keras_jax  # noqa: PLC0415

        return keras_jax.count_gpus()
    _load_tensorflow()
    from inference.runtimes import tensorflow_network  # noqa: PLC0415

    return tensorflow_network.count_gpus()


def _keras_on_tensorflow(weights: Path, device: str, precision: Precision) -> CompiledNetwork:
    _load_tensorflow()
    from inference.runtimes.keras_tensorflow import load_network  # noqa: PLC0415

    return load_network(weights, device, precision)


def _keras_on_jax(weights: Path, device: str, precision: Precision) -> CompiledNetwork:
    _set_up_jax()
    if device == "cpu":
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
    if find_spec("jax") is None:
        raise RuntimeUnavailable(
            f"{KERAS_BACKEND} is jax, and JAX is not installed here. Install jax beside the "
            "product, or unset it to run on TensorFlow."
        )
    from inference.runtimes.keras_jax import load_network  # noqa: PLC0415

    return load_network(weights, device, precision)


def _saved_model(weights: Path, device: str, _precision: Precision) -> CompiledNetwork:
    _load_tensorflow()
    from inference.runtimes.saved_model import load_network  # noqa: PLC0415

    return load_network(weights, device)


def run_onnx(weights: Path, device: str, _precision: Precision) -> CompiledNetwork:
    """Return the network in an ONNX file, whatever card it belongs to; errors as `Network.load`."""
    from inference.runtimes.onnx_runtime import load_network  # noqa: PLC0415

    return load_network(weights, device)


def export_to_onnx(weights: Path) -> bytes:
    """Return the network of a `.keras` file as the content of an ONNX file.

    Raises
    ------
    RuntimeUnavailable
        If Keras runs on another library than TensorFlow, or the exporter is not installed.
    ExportRefused, ModelDamaged
        If the network cannot be written, or its file not be read.
    """
    if os.environ.setdefault(KERAS_BACKEND, "tensorflow") != "tensorflow":
        raise RuntimeUnavailable(
            f"A network is written as ONNX by way of TensorFlow. Unset {KERAS_BACKEND} for it."
        )
    if find_spec("tf2onnx") is None:
        raise RuntimeUnavailable(
            "What writes networks as ONNX is not installed. Install the extra `onnx`."
        )
    _load_tensorflow()
    from inference.runtimes.onnx_export import export_onnx  # noqa: PLC0415

    return export_onnx(weights)


def _set_up_jax() -> None:
    # Memory as needed, for others may work beside us.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


def _load_tensorflow() -> None:
    # Read once, on import; a value set by the operator stands.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Slower for a network this small, and its rounding differs from one processor to another.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    # Keras would load it to show galleries of pictures: a quarter of the time all this takes.
    with left_out("matplotlib"):
        importlib.import_module("tensorflow")


RUNTIMES: Final = (
    Runtime(ModelFormat.KERAS, _keras_on_tensorflow, "tensorflow"),
    Runtime(ModelFormat.KERAS, _keras_on_jax, "jax"),
    Runtime(ModelFormat.SAVEDMODEL, _saved_model),
    Runtime(ModelFormat.ONNX, run_onnx),
)
