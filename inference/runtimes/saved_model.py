"""Runs SavedModel folders on TensorFlow, by their serving signature."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import tensorflow as tf

from inference.errors import ModelDamaged
from inference.runtimes.compiled_network import Port
from inference.runtimes.saved_model_graph import check_graph
from inference.runtimes.tensorflow_network import TensorFlowNetwork, tensorflow_device

#: The signature exporters write for serving.
_SERVING: Final = "serving_default"


def load_network(weights: Path, device: str) -> TensorFlowNetwork:
    """Return the network in that folder on that device; errors as `Network.load`."""
    check_graph(weights)
    name = tensorflow_device(device)
    with tf.device(name):
        loaded = _load(weights)
    signature = loaded.signatures[_SERVING]
    _, named = signature.structured_input_signature
    inputs = tuple(_port(key, spec, weights) for key, spec in named.items())
    outputs = tuple(
        _port(key, spec, weights) for key, spec in sorted(signature.structured_outputs.items())
    )
    return TensorFlowNetwork(_by_position(loaded, inputs, outputs), inputs, outputs, name)


def _load(folder: Path) -> Any:
    try:
        loaded = tf.saved_model.load(str(folder))
    except (OSError, ValueError, KeyError, AttributeError, tf.errors.OpError) as error:
        raise ModelDamaged(
            f"{folder.name} is not a SavedModel that TensorFlow {tf.__version__} can read: "
            f"{error}. Export it again with this version or an older one."
        ) from error
    found: Mapping[str, Any] = loaded.signatures
    if _SERVING not in found:
        names = ", ".join(found) or "none"
        raise ModelDamaged(
            f"{folder.name} has no signature {_SERVING} (it has: {names}). Export it for serving."
        )
    return loaded


def _by_position(loaded: Any, inputs: Sequence[Port], outputs: Sequence[Port]) -> Any:
    def estimate(*tensors: Any) -> list[Any]:
        named = dict(zip((port.name for port in inputs), tensors, strict=True))
        # Through the model: its signature alone does not keep the variables alive.
        answer = loaded.signatures[_SERVING](**named)
        return [answer[port.name] for port in outputs]

    return estimate


def _port(name: str, spec: Any, folder: Path) -> Port:
    shape = spec.shape.as_list() if spec.shape.rank else None
    if shape is None or shape[0] is not None or spec.dtype != tf.float32:
        raise ModelDamaged(
            f"`{name}` of {folder.name} is {spec.dtype.name} {spec.shape}; every input and output "
            "must be float32 with the number of eyes left open. Export it so."
        )
    return Port(name, tuple(shape[1:]))
