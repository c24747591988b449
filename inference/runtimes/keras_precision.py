"""Lets a Keras network compute in half precision, all but its last layers."""

from typing import Any, Final

import keras

from inference.precisions import Precision

#: What has no numbers of its own to compute in.
_UNTOUCHED: Final = "InputLayer"


def in_precision(network: Any, precision: Precision) -> Any:
    """Return the network with the same weights in that precision; what it gives stays float32."""
    if precision is Precision.FLOAT32:
        return network
    config = network.get_config()
    last = _last_layers(config)
    for layer in config["layers"]:
        of_layer = layer["config"]
        if of_layer.get("name") in last or layer["class_name"] == _UNTOUCHED:
            continue
        if "dtype" in of_layer:
            of_layer["dtype"] = str(precision)
    reduced = type(network).from_config(config)
    reduced.set_weights(network.get_weights())
    return reduced


def _last_layers(config: dict[str, Any]) -> set[str]:
    """Return the names of the layers that give the outputs."""
    if "output_layers" not in config:
        return {config["layers"][-1]["config"]["name"]}
    outputs = keras.tree.flatten(config["output_layers"])
    return {entry for entry in outputs if isinstance(entry, str)}
