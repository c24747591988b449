"""Small networks in the forms the runtimes read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from inference.model_card import ModelCard, ModelInput
from inference.model_card_writer import write_card
from inference.weights import weights_digest
from tests.unit.inference.cards import make_model


def small_keras(with_age: bool = True, with_spread: bool = False, seed: int = 3) -> Any:
    """Return a Keras network from a profile, and an age, to 52 dB that differ by point."""
    import keras

    keras.utils.set_random_seed(seed)
    profile = keras.Input((768, 1), name="profile")
    age = keras.Input((1,), name="age")
    sectors = keras.layers.AveragePooling1D(64)(keras.layers.Rescaling(1 / 90)(profile))
    features = keras.layers.Flatten()(sectors)
    if with_age:
        years = keras.layers.Rescaling(1 / 60)(age)
        features = keras.layers.Concatenate()([features, years])
    bias = keras.initializers.Constant(25.0)
    outputs = [keras.layers.Dense(52, bias_initializer=bias, name="dense_1")(features)]
    if with_spread:
        wide = keras.layers.Dense(104, activation="softplus", name="widths")(features)
        outputs.append(keras.layers.Reshape((52, 2), name="spread")(wide))
    inputs = [profile, age] if with_age else [profile]
    return keras.Model(inputs, outputs if with_spread else outputs[0])


def save_keras(model: Any, folder: Path) -> Path:
    """Save a network as `small.keras` in that folder."""
    path = folder / "small.keras"
    model.save(path)
    return path


def keras_model(folder: Path, model: Any) -> ModelCard:
    """Write a model folder around a Keras network, and return its card."""
    card = make_model(folder)
    model.save(card.weights_path)
    units = {"age": "year", "profile": "µm", "fundus": "ring"}
    inputs = tuple(
        ModelInput(entry.name, tuple(entry.shape[1:]), units[entry.name]) for entry in model.inputs
    )
    written = replace(card, inputs=inputs, digest=weights_digest(card.weights_path))
    write_card(written)
    return written


def save_saved_model(model: Any, folder: Path) -> Path:
    """Export a Keras network as the SavedModel `small` in that folder."""
    path = folder / "small"
    model.export(path, verbose=False)
    return path


def small_onnx(domain: str = "", batch: int | str = "eyes") -> Any:
    """Return an ONNX network from a profile and an age to 52 dB that differ by point.

    `domain` is that of its first node, `batch` the length or name of the first axes.
    """
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(3)
    weights = rng.normal(0, 0.02, (769, 52)).astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["profile"], ["flat"], name="first", domain=domain),
        helper.make_node("Concat", ["flat", "age"], ["features"], axis=1),
        helper.make_node("Gemm", ["features", "weights", "bias"], ["dense_1"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [
            helper.make_tensor_value_info("profile", TensorProto.FLOAT, [batch, 768, 1]),
            helper.make_tensor_value_info("age", TensorProto.FLOAT, [batch, 1]),
        ],
        [helper.make_tensor_value_info("dense_1", TensorProto.FLOAT, [batch, 52])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.linspace(20, 30, 52, dtype=np.float32), "bias"),
        ],
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def save_onnx(model: Any, folder: Path) -> Path:
    """Save an ONNX network as `small.onnx` in that folder."""
    path = folder / "small.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def eyes(count: int, seed: int = 5) -> tuple[Any, Any]:
    """Return random profiles (n, 768, 1) in µm and ages (n, 1) in years, float32."""
    import numpy as np

    rng = np.random.default_rng(seed)
    profiles = rng.uniform(30, 150, (count, 768, 1)).astype(np.float32)
    return profiles, rng.uniform(30, 90, (count, 1)).astype(np.float32)
