"""What `arcuate bench inference` can be asked for."""

from enum import StrEnum


class RuntimeName(StrEnum):
    """What runs the network."""

    TENSORFLOW = "tensorflow"
    JAX = "jax"
    ONNX = "onnx"
