"""Reads a `.keras` file into a network of whichever library Keras runs on here."""

from pathlib import Path
from typing import Any, Final

import keras

from inference.errors import ModelDamaged
from inference.runtimes.compiled_network import Port
from inference.runtimes.keras_archive import check_archive

KERAS: Final = f"Keras {keras.__version__}"


def read_keras(weights: Path) -> Any:
    """Return the network in a file, once the file was found to hold nothing but Keras' own parts.

    Raises
    ------
    ModelDamaged
        If it holds anything else, or is not a network this Keras can read.
    """
    check_archive(weights)
    try:
        return keras.saving.load_model(weights, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelDamaged(
            f"{weights.name} is not a network Keras {keras.__version__} can read: {error}. Save it "
            "again with this version or an older one."
        ) from error


def keras_ports(network: Any) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """Return the inputs and outputs of a network."""
    inputs = tuple(Port(entry.name, tuple(entry.shape[1:])) for entry in network.inputs)
    outputs = zip(network.output_names, network.outputs, strict=True)
    return inputs, tuple(Port(name, tuple(entry.shape[1:])) for name, entry in outputs)
