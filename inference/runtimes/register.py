"""The runtimes: a new one is a file in this folder and a line in this tuple."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inference.errors import RuntimeUnavailable
from inference.runtimes.compiled_network import CompiledNetwork
from inference.runtimes.weights_form import WeightsForm, weights_form

#: Read by Keras itself, once, on import: the operator's choice of the library below it.
KERAS_BACKEND: Final = "KERAS_BACKEND"


@dataclass(frozen=True)
class Runtime:
    """One way to run one form of network.

    Attributes
    ----------
    load
        Reads a network onto a device; imports its libraries only then. What it raises stands at
        `Network.load`.
    keras_backend
        The value of `KERAS_BACKEND` it serves, None where that does not matter.
    """

    form: WeightsForm
    load: Callable[[Path, str], CompiledNetwork]
    keras_backend: str | None = None


def runtime_for(weights: Path) -> Runtime:
    """Return what runs the network at that path.

    Raises
    ------
    ModelDamaged
        If it is no network that is read, or cannot be read safely.
    RuntimeUnavailable
        If Keras is told to run on a library that is not served.
    """
    form = weights_form(weights)
    backend = os.environ.setdefault(KERAS_BACKEND, "tensorflow")
    for runtime in RUNTIMES:
        if runtime.form is form and runtime.keras_backend in {None, backend}:
            return runtime
    served = " or ".join(str(known.keras_backend) for known in RUNTIMES if known.keras_backend)
    raise RuntimeUnavailable(
        f"{KERAS_BACKEND} is {backend}, and a Keras file runs on {served}. Set it to one of these, "
        "or unset it."
    )


def _keras_on_tensorflow(weights: Path, device: str) -> CompiledNetwork:
    _set_up_tensorflow()
    from inference.runtimes.keras_tensorflow import load_network  # noqa: PLC0415

    return load_network(weights, device)


def _set_up_tensorflow() -> None:
    # Read once, on import; a value set by the operator stands.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Slower for a network this small, and its rounding differs from one processor to another.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


RUNTIMES: Final = (Runtime(WeightsForm.KERAS, _keras_on_tensorflow, "tensorflow"),)
