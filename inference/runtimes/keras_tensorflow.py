"""Runs `.keras` files on TensorFlow."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from inference.precisions import Precision
from inference.runtimes.compiled_network import Port
from inference.runtimes.keras_file import KERAS, as_built, keras_ports, read_keras
from inference.runtimes.keras_precision import in_precision
from inference.runtimes.tensorflow_network import (
    TENSORFLOW,
    TensorFlowNetwork,
    tensorflow_device,
)


def load_network(
    weights: Path, device: str, precision: Precision = Precision.FLOAT32
) -> TensorFlowNetwork:
    """Return the network in that file on that device; errors as `Network.load`."""
    name = tensorflow_device(device)
    with tf.device(name):
        network = in_precision(read_keras(weights), precision)
        inputs, outputs = keras_ports(network)
        function = _compiled(network, inputs)
    return TensorFlowNetwork(function, inputs, outputs, name, f"{TENSORFLOW}, {KERAS}")


def _compiled(network: Any, inputs: tuple[Port, ...]) -> Any:
    # Traced once for any batch size. XLA is left off: it is slower on CPU.
    signature = [tf.TensorSpec((None, *port.shape), tf.float32) for port in inputs]

    def estimate(*tensors: Any) -> list[Any]:
        return list(tf.nest.flatten(network(as_built(network, tensors), training=False)))

    return tf.function(estimate, input_signature=signature, jit_compile=False)
