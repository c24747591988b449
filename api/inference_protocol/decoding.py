"""From the body of a request to a question: JSON, with tensors inside it or behind it."""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from api.errors import BodyMalformed
from api.inference_protocol.ports import AGE, ModelPorts
from api.inference_protocol.schemas import InferIn, InputIn
from core.values.tensors import TensorQuestion

#: Says where the JSON ends and the bytes of the tensors begin.
JSON_LENGTH_HEADER: Final = "Inference-Header-Content-Length"
BINARY_SIZE: Final = "binary_data_size"

_DATATYPES: Final = {
    **{f"FP{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
    **{f"INT{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
}
#: Kinds of NumPy that are numbers; text and truth values are not.
_NUMBERS: Final = frozenset("iuf")
#: What the `data` of a tensor is made of; truth values alone are no numbers to NumPy.
_NESTED_NUMBERS: Final = frozenset({int, float, bool, list})
#: No model reads so many; NumPy knows 64, and the product of many lengths takes long.
_MOST_AXES: Final = 16
_NO_NUMBERS: Final = "The `data` of a tensor is no array of numbers"


def read_request(body: bytes, json_length: str | None) -> tuple[InferIn, bytes]:
    """Return what is asked, and the bytes behind the JSON.

    Parameters
    ----------
    json_length
        The header `Inference-Header-Content-Length`; None where the body is JSON alone.

    Raises
    ------
    BodyMalformed
        If it is not as the protocol says.
    """
    length = len(body)
    if json_length is not None:
        if not (json_length.isascii() and json_length.isdigit() and int(json_length) <= length):
            raise BodyMalformed(f"{JSON_LENGTH_HEADER} is not the length of the JSON in the body")
        length = int(json_length)
    try:
        return InferIn.model_validate_json(body[:length]), body[length:]
    except ValidationError as error:
        raise BodyMalformed(f"The JSON is no inference request: {_explain(error)}") from error


def question_of(asked: InferIn, behind: bytes, ports: ModelPorts) -> TensorQuestion:
    """Return the question to a model.

    Parameters
    ----------
    behind
        The bytes behind the JSON, of the tensors that say how many are theirs, in their order.

    Raises
    ------
    BodyMalformed
        If the tensors are not one for each input, of its shape, of numbers.
    """
    wanted = ports.inputs
    if sorted(entry.name for entry in asked.inputs) != sorted(wanted):
        raise BodyMalformed(f"The model reads one tensor for each input: {', '.join(wanted)}")
    arrays = dict(_arrays(asked, memoryview(behind)))
    rows = arrays[ports.structure].shape[:1]
    for name, shape in wanted.items():
        _check_shape(name, arrays[name].shape, rows, shape)
    ages = arrays.get(AGE, np.full(rows, np.nan))
    return TensorQuestion(
        ports.model.identity.name,
        ports.model.identity.version,
        arrays[ports.structure].reshape(*rows, -1).astype(np.float32),
        ages.reshape(-1).astype(np.float32),
    )


def _check_shape(
    name: str, found: tuple[int, ...], rows: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    # A last axis of one may be left out.
    accepted = {(*rows, *shape)} | ({(*rows, *shape[:-1])} if shape[-1] == 1 else set())
    if not found or not found[0] or found not in accepted:
        lengths = ", ".join(map(str, ("eyes", *shape)))
        raise BodyMalformed(
            f"{name} has the shape ({lengths}), with at least one eye and as many as the other "
            f"inputs, not {list(found)}"
        )


def _arrays(asked: InferIn, behind: memoryview) -> Iterator[tuple[str, NDArray[Any]]]:
    for entry in asked.inputs:
        if entry.datatype not in _DATATYPES:
            raise BodyMalformed("The datatype of a tensor is FP16, FP32, FP64, INT… or UINT…")
        size = entry.parameters.get(BINARY_SIZE)
        if size is None:
            yield entry.name, _from_json(entry)
            continue
        if not isinstance(size, int) or entry.data is not None or not 0 <= size <= len(behind):
            raise BodyMalformed(f"{BINARY_SIZE} is not the number of the tensor's bytes")
        yield entry.name, _from_bytes(entry, behind[:size])
        behind = behind[size:]
    if behind:
        raise BodyMalformed(f"There are bytes behind the JSON that no {BINARY_SIZE} names")


def _from_json(entry: InputIn) -> NDArray[Any]:
    if entry.data is None:
        raise BodyMalformed("A tensor has neither `data` nor bytes behind the JSON")
    # Before NumPy sees it, which would give each number the room of the longest text beside it.
    if not _is_of_numbers(entry.data):
        raise BodyMalformed(_NO_NUMBERS)
    try:
        array = np.asarray(entry.data)
    except ValueError as error:
        raise BodyMalformed(_NO_NUMBERS) from error
    if array.dtype.kind not in _NUMBERS:
        raise BodyMalformed(_NO_NUMBERS)
    return _shaped(entry, array)


def _is_of_numbers(values: list[Any]) -> bool:
    kinds = set(map(type, values))
    if list not in kinds:
        return kinds <= _NESTED_NUMBERS
    return kinds <= _NESTED_NUMBERS and all(
        _is_of_numbers(part) for part in values if isinstance(part, list)
    )


def _from_bytes(entry: InputIn, kept: memoryview) -> NDArray[Any]:
    datatype = np.dtype(_DATATYPES[entry.datatype])
    if len(kept) % datatype.itemsize:
        raise BodyMalformed(f"{BINARY_SIZE} is no number of whole values")
    return _shaped(entry, np.frombuffer(kept, datatype))


def _shaped(entry: InputIn, array: NDArray[Any]) -> NDArray[Any]:
    if len(entry.shape) > _MOST_AXES:
        raise BodyMalformed(f"The `shape` of a tensor has more than {_MOST_AXES} axes")
    if any(length < 0 for length in entry.shape) or math.prod(entry.shape) != array.size:
        raise BodyMalformed("A tensor has not as many values as its `shape` says")
    if not array.size:
        raise BodyMalformed("A tensor is empty")
    return array.reshape(entry.shape)


def _explain(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    # What stands in it is the client's own; names of ours say where to look.
    places = {".".join(str(part) for part in fault["loc"]) or "the body" for fault in faults[:3]}
    return "check " + ", ".join(sorted(places))
