"""Looks an ONNX file over before it is loaded: everything in it, and nothing but known operations.

Reads the few fields it needs of the protocol buffer itself, so that no library has to open a file
that is not yet trusted. Source: onnx.proto3 of the ONNX project, IR version 10.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inference.errors import ModelDamaged

#: Where the operations of ONNX and of its runtime live.
_KNOWN_DOMAINS: Final = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})

#: For each kind of message the fields that hold further messages, and their kind.
_CHILDREN: Final = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_NODE_NAME, _NODE_TYPE, _NODE_DOMAIN = 3, 4, 7
_FUNCTION_DOMAIN: Final = 10
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5


@dataclass(frozen=True)
class _Message:
    kind: str
    texts: dict[int, bytes]
    numbers: dict[int, int]

    def text(self, field: int) -> str:
        return self.texts.get(field, b"").decode("utf-8", "replace")


def read_onnx(weights: Path) -> bytes:
    """Return the content of an ONNX file once it was looked over.

    Raises
    ------
    ModelDamaged
        If it is none, keeps numbers in other files, or has operations from elsewhere.
    """
    try:
        content = weights.read_bytes()
        messages = list(_messages(memoryview(content), "model"))
    except (OSError, ValueError, IndexError, RecursionError) as error:
        raise ModelDamaged(
            f"{weights.name} is not a network in an ONNX file: {error}. Export it again."
        ) from error
    if not any(message.kind == "graph" for message in messages):
        raise ModelDamaged(f"{weights.name} is not a network in an ONNX file. Export it again.")
    if any(_is_external(message) for message in messages if message.kind == "tensor"):
        raise ModelDamaged(
            f"{weights.name} keeps numbers in other files, which its digest would not cover. Save "
            "it as one file, without external data."
        )
    own = {message.text(_FUNCTION_DOMAIN) for message in messages if message.kind == "function"}
    for node in (message for message in messages if message.kind == "node"):
        if (domain := node.text(_NODE_DOMAIN)) not in _KNOWN_DOMAINS | own:
            raise ModelDamaged(
                f"{weights.name} is not safe to load: {node.text(_NODE_NAME)!r} is a "
                f"{domain}.{node.text(_NODE_TYPE)}, an operation that is none of ONNX's own. "
                "Export the model with standard operations."
            )
    return content


def _is_external(tensor: _Message) -> bool:
    return _TENSOR_EXTERNAL in tensor.texts or tensor.numbers.get(_TENSOR_LOCATION, 0) != 0


def _messages(data: memoryview, kind: str) -> Iterator[_Message]:
    """Yield a message and all it holds, of the kinds that matter."""
    message = _Message(kind, {}, {})
    for field, value in _fields(data):
        child = _CHILDREN[kind].get(field)
        if isinstance(value, int):
            message.numbers[field] = value
        elif child is not None:
            yield from _messages(value, child)
        elif len(value) < 1000 or field == _TENSOR_EXTERNAL:
            message.texts[field] = bytes(value)
    yield message


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        field, wire = key >> 3, key & 7
        if wire == _VARINT:
            number, position = _varint(data, position)
            yield field, number
            continue
        if wire == _BYTES:
            length, position = _varint(data, position)
        elif wire in {_FIXED_32, _FIXED_64}:
            length = 4 if wire == _FIXED_32 else 8
        else:
            raise ValueError("it is no protocol buffer")
        if position + length > len(data):
            raise ValueError("it is cut short, or no protocol buffer")
        yield field, data[position : position + length]
        position += length


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
        if shift > 63:
            raise ValueError("it is no protocol buffer")
