"""Looks a `.keras` file over before anything of it is built: nothing in it may run code of its own.

Keras' own safe mode refuses most of this too; a file from elsewhere is looked at twice.
"""

import json
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final
from zipfile import BadZipFile, ZipFile, ZipInfo

from inference.errors import ModelDamaged

#: Layers that carry code, load other files, or run another library's objects.
_UNSAFE_LAYERS: Final = frozenset(
    {"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
    | {"StringLookup", "IntegerLookup", "TextVectorization"}
)
#: Where Keras keeps what a network is made of; elsewhere in Keras are functions that read files.
_ROOMS: Final = (
    *("keras.layers", "keras.models", "keras.ops", "keras.initializers", "keras.activations"),
    *("keras.regularizers", "keras.constraints", "keras.dtype_policies"),
    *("keras.src.layers", "keras.src.models", "keras.src.ops", "keras.src.dtype_policies"),
)
_TOP_CLASSES: Final = frozenset({"DTypePolicy", "Functional", "Model", "Sequential"})
#: More than any network of this kind, unpacked; a small archive can unpack to fill a memory.
_MOST_BYTES: Final = 2 * 2**30
_REMEDY: Final = (
    "Build the model from Keras' own layers and operations, or export it as SavedModel or ONNX"
)


def check_archive(weights: Path) -> None:
    """Look a `.keras` file over without building anything of it.

    Raises
    ------
    ModelDamaged
        If it is no such file, holds paths that lead out of it, or anything but Keras' own parts.
    """
    try:
        with ZipFile(weights) as archive:
            entries = archive.infolist()
            _check_size(weights, entries)
            text = archive.read("config.json")
        config = _entries(json.loads(text))
    except (OSError, BadZipFile, KeyError, ValueError, RecursionError) as error:
        raise ModelDamaged(
            f"{weights.name} is not a network that Keras saved: {error}. Save it again."
        ) from error
    for entry in entries:
        if _leads_out(entry):
            raise ModelDamaged(
                f"{weights.name} holds the path {entry.filename!r}, which leads out of the file. "
                "Do not use it: Keras writes no such file."
            )
    # What it was trained with is never built here.
    parts = {key: value for key, value in config.items() if key != "compile_config"}
    for layer, cause in _faults(parts, "the model"):
        raise ModelDamaged(f"{weights.name} is not safe to read: {layer} {cause}. {_REMEDY}.")


def _check_size(weights: Path, entries: Sequence[ZipInfo]) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > _MOST_BYTES:
        raise ModelDamaged(
            f"{weights.name} unpacks to {unpacked / 2**30:.0f} GiB; no network read here is larger "
            f"than {_MOST_BYTES / 2**30:.0f} GiB. Save a smaller one."
        )


def _entries(config: object) -> dict[str, object]:
    if not isinstance(config, dict):
        raise ValueError("its configuration has no entries")  # noqa: TRY004
    return config


def _leads_out(entry: ZipInfo) -> bool:
    posix, windows = PurePosixPath(entry.filename), PureWindowsPath(entry.filename)
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    return is_link or bool(windows.drive or windows.root) or ".." in {*posix.parts, *windows.parts}


def _faults(part: object, layer: str) -> Iterator[tuple[str, str]]:
    """Yield the nearest layer and the cause of whatever is not Keras' own."""
    if isinstance(part, list):
        for entry in part:
            yield from _faults(entry, layer)
    elif isinstance(part, dict):
        name = _layer_name(part, layer)
        if "class_name" in part and (cause := _cause(part)):
            yield name, cause
        for value in part.values():
            yield from _faults(value, name)


def _layer_name(part: dict[str, object], outer: str) -> str:
    config = part.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    return f"the part {name!r}" if isinstance(name, str) else outer


def _cause(part: dict[str, object]) -> str | None:
    """Return what is wrong with one object of a configuration, None when nothing is."""
    kind, room = str(part["class_name"]), part.get("module")
    if kind in _UNSAFE_LAYERS:
        return f"is a {kind}, which can run code or read files that are not in the model"
    if room is None and kind.startswith("__"):
        # Keras' way to write tensors, slices and tuples.
        return None
    if room == "builtins":
        return f"calls the Python function {part.get('config')!r}, which the file does not hold"
    if room == "keras" and kind in _TOP_CLASSES:
        return None
    if isinstance(room, str) and any(f"{room}.".startswith(f"{known}.") for known in _ROOMS):
        return None
    return f"is made of {room}.{kind}, which is none of Keras' layers and operations"
