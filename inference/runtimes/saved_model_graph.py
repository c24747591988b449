"""Looks a SavedModel over before it is loaded: no Python and no files in what it can run."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from inference.errors import ModelDamaged

#: Operations that call Python, or read or write what is not in the model.
_UNSAFE: Final = re.compile(r"PyFunc|File|Save|Checkpoint|Dataset|Reader|Print|Debug|Summary|Rpc")


def check_graph(folder: Path) -> None:
    """Look over every function a loaded model can run.

    What writes the model itself is in the graph of each SavedModel, but not in these functions.

    Raises
    ------
    ModelDamaged
        If one of them is unsafe, or the graph cannot be read.
    """
    functions, roots = _functions(folder)
    for name in _reachable(functions, roots):
        for node in functions[name].node_def:
            if _UNSAFE.search(node.op):
                raise ModelDamaged(
                    f"{folder.name} is not safe to load: {node.name!r} is a {node.op}, which calls "
                    "Python or touches files outside the model. Build it without "
                    "tf.py_function and file operations, and export it again."
                )


def _functions(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the functions of a model by name, and the names of those it offers."""
    saved: Any = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    except (OSError, DecodeError) as error:
        raise ModelDamaged(
            f"The graph of {folder.name} cannot be read: {error}. Export the model again."
        ) from error
    graphs = saved.meta_graphs
    if len(graphs) != 1 or not graphs[0].object_graph_def.concrete_functions:
        raise ModelDamaged(
            f"{folder.name} is not a SavedModel as TensorFlow 2 writes it, with one graph and "
            "functions. Export the model again with TensorFlow 2."
        )
    functions = graphs[0].graph_def.library.function
    return (
        {function.signature.name: function for function in functions},
        list(graphs[0].object_graph_def.concrete_functions),
    )


def _reachable(functions: dict[str, Any], roots: Iterable[str]) -> set[str]:
    waiting, seen = list(roots), set[str]()
    while waiting:
        name = waiting.pop()
        if name in functions and name not in seen:
            seen.add(name)
            waiting += _called(functions[name])
    return seen


def _called(function: Any) -> list[str]:
    names: list[str] = []
    for node in function.node_def:
        # A function can stand in place of an operation, or be handed to one.
        names.append(node.op)
        for value in node.attr.values():
            names += [value.func.name, *(entry.name for entry in value.list.func)]
    return names
