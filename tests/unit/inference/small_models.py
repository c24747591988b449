"""Small networks in model folders of any name and version, for the tests of adding and watching."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from inference.model_card import ModelCard, ModelFormat
from inference.model_card_writer import write_card
from inference.weights import weights_digest
from tests.unit.inference.cards import make_model
from tests.unit.inference.runtimes.networks import save_onnx, small_keras, small_onnx


def small_model(
    root: Path, name: str = "smallnet", version: str = "1.0.0", network: Any = None, seed: int = 3
) -> ModelCard:
    """Write a model whose weights are a small Keras network, and return its card.

    Saving warns with TensorFlow and NumPy 2, so its tests say
    `filterwarnings("ignore:__array__ implementation:DeprecationWarning")`.
    """
    card = make_model(root, name, version)
    (small_keras(seed=seed) if network is None else network).save(card.weights_path)
    written = replace(card, digest=weights_digest(card.weights_path))
    write_card(written)
    return written


def small_onnx_model(root: Path, name: str = "smallnet") -> ModelCard:
    """Write a model whose weights are a small ONNX network, which loads at once."""
    made = make_model(root, name)
    path = save_onnx(small_onnx(), made.folder)
    changes = {"weights": path.name, "format": ModelFormat.ONNX, "digest": weights_digest(path)}
    card = replace(made, **changes)
    write_card(card)
    return card
