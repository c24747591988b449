"""Reads a `.keras` file into a network of whichever library Keras runs on here."""

from collections.abc import Sequence
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
        network = keras.saving.load_model(weights, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelDamaged(
            f"{weights.name} is not a network Keras {keras.__version__} can read: {error}. Save it "
            "again with this version or an older one."
        ) from error
    if not isinstance(network, keras.Model) or not network.built:
        raise ModelDamaged(
            f"{weights.name} is not a whole network with known inputs. Give its first layer an "
            "Input and save the whole model."
        )
    return network


def keras_ports(network: Any) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """Return the inputs and outputs of a network."""
    inputs = tuple(Port(entry.name, tuple(entry.shape[1:])) for entry in network.inputs)
    # A plain stack of layers does not name its output; it is that of its last layer.
    is_stack = isinstance(network, keras.Sequential)
    names = [network.layers[-1].name] if is_stack else network.output_names
    outputs = zip(names, network.outputs, strict=True)
    return inputs, tuple(Port(name, tuple(entry.shape[1:])) for name, entry in outputs)


def as_built(network: Any, tensors: Sequence[Any]) -> Any:
    """Return inputs, given in the order of the ports, as the network takes them: one, or many."""
    if isinstance(network, keras.Sequential):
        return tensors[0]
    return keras.tree.pack_sequence_as(network.input, list(tensors))
