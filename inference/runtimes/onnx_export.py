"""Writes a Keras network, as TensorFlow runs it, as an ONNX file."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from tf2onnx.utils import make_name

from inference.errors import ExportRefused
from inference.runtimes.keras_file import as_built, keras_ports, read_keras

#: The newest the exporter writes, and one that ONNX Runtime reads since 1.14.
_OPSET: Final = 18


def export_onnx(weights: Path) -> bytes:
    """Return the network of a `.keras` file as the content of an ONNX file.

    Raises
    ------
    ModelDamaged
        If the file is not safe to read, or not a network.
    ExportRefused
        If it has an operation the exporter does not know.
    """
    network = read_keras(weights)
    inputs, outputs = keras_ports(network)
    signature = [tf.TensorSpec((None, *port.shape), tf.float32, name=port.name) for port in inputs]

    def estimate(*tensors: Any) -> dict[str, Any]:
        given = tf.nest.flatten(network(as_built(network, tensors), training=False))
        return {port.name: tensor for port, tensor in zip(outputs, given, strict=True)}

    try:
        model, _ = tf2onnx.convert.from_function(
            tf.function(estimate, input_signature=signature),
            signature,
            opset=_OPSET,
            custom_op_handlers={"Erfc": (_write_erfc, [])},
        )
    except (ValueError, TypeError, KeyError, NotImplementedError, RuntimeError) as error:
        raise ExportRefused(f"{weights.name} cannot be written as ONNX: {error}") from error
    try:
        # What it has no counterpart for, the exporter writes as it stands.
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ExportRefused(f"{weights.name} cannot be written as ONNX: {error}") from error
    content: bytes = model.SerializeToString()
    return content


def _write_erfc(graph: Any, node: Any, _name: str, _arguments: Any) -> None:
    """Write 1 − erf: the exporter knows no Erfc, by which TensorFlow computes GELU."""
    shapes, types, outputs = node.output_shapes, node.output_dtypes, node.output
    one = graph.make_const(make_name("one"), np.array(1, np.float32))
    erf = graph.make_node("Erf", node.input[:1])
    graph.remove_node(node.name)
    graph.make_node(
        "Sub", [one.output[0], erf.output[0]], outputs=outputs, shapes=shapes, dtypes=types
    )
