"""From a model's answer to the body of the response: JSON, with tensors inside it or behind it."""

from typing import Any, Final

import numpy as np
from fastapi import Response
from numpy.typing import NDArray

from api.errors import BodyMalformed
from api.inference_protocol.decoding import BINARY_SIZE, JSON_LENGTH_HEADER
from api.inference_protocol.ports import FIELD, FLOAT, SPREAD, ModelPorts
from api.inference_protocol.schemas import InferIn, InferOut, InferredTensorOut
from core.tensor_scores import TensorsRefused
from core.values.tensors import TensorAnswer

_ALL_BINARY: Final = "binary_data_output"
_BINARY: Final = "binary_data"


def check_outputs(asked: InferIn, ports: ModelPorts) -> None:
    """Refuse to be asked for what the model does not give, before it is asked.

    Raises
    ------
    BodyMalformed
        If an output that is asked for is not the model's.
    """
    if not {output.name for output in asked.outputs or ()} <= set(ports.outputs):
        raise BodyMalformed(f"The model gives no other outputs than {', '.join(ports.outputs)}")


def response_of(asked: InferIn, ports: ModelPorts, answer: TensorAnswer) -> Response:
    """Return the answer as the protocol writes it.

    Raises
    ------
    TensorsRefused
        If any of the eyes must not be scored: a tensor has no place to say so of a row.
    """
    if answer.unfit:
        row, reason = min(answer.unfit.items())
        raise TensorsRefused(
            f"{len(answer.unfit)} of {len(answer.sensitivities_db)} eyes must not be scored; the "
            f"first is row {row}: {reason.message}"
        )
    found = {FIELD: answer.sensitivities_db, SPREAD: answer.spread_db}
    given = {name: array for name, array in found.items() if array is not None}
    wanted = _wanted(asked, list(given))
    told = InferOut(
        model_name=ports.model.identity.name,
        model_version=ports.model.identity.version,
        id=asked.id,
        parameters={"estimated": True, "unit": "dB"},
        outputs=[_tensor(name, given[name], binary) for name, binary in wanted.items()],
    )
    json = told.model_dump_json(exclude_none=True).encode()
    behind = b"".join(_bytes_of(given[name]) for name, binary in wanted.items() if binary)
    if not behind:
        return Response(json, media_type="application/json")
    headers = {JSON_LENGTH_HEADER: str(len(json))}
    return Response(json + behind, headers=headers, media_type="application/octet-stream")


def _wanted(asked: InferIn, given: list[str]) -> dict[str, bool]:
    """Return the outputs to send, each with whether as bytes."""
    usual = asked.parameters.get(_ALL_BINARY) is True
    if asked.outputs is None:
        return dict.fromkeys(given, usual)
    named = [output for output in asked.outputs if output.name in given]
    return {output.name: output.parameters.get(_BINARY, usual) is True for output in named}


def _tensor(name: str, array: NDArray[np.float32], binary: bool) -> InferredTensorOut:
    common: dict[str, Any] = {"name": name, "shape": list(array.shape), "datatype": FLOAT}
    if binary:
        return InferredTensorOut(**common, parameters={BINARY_SIZE: len(_bytes_of(array))})
    return InferredTensorOut(**common, data=array.ravel().tolist())


def _bytes_of(array: NDArray[np.float32]) -> bytes:
    return np.ascontiguousarray(array, "<f4").tobytes()
