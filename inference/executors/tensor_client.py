"""Talks to a server of the Open Inference Protocol (KServe v2) over HTTP."""

import json
import math
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import httpx
import numpy as np
from numpy.typing import NDArray

from inference.errors import ExecutorAway, ModelNotFound, PredictionFailed

#: Says where the JSON ends and the bytes of the tensors begin.
_JSON_LENGTH: Final = "Inference-Header-Content-Length"
_BINARY_EXTENSION: Final = "binary_tensor_data"
_FLOAT: Final = "FP32"
#: Pauses in seconds before it is asked again; what lasts longer is the worker's to wait for.
_PAUSES: Final = (0.2, 1.0)
#: What passes by itself, or by an operator's hand: no job is to blame.
_AWAY: Final = frozenset(
    {
        *(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
        *(HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY),
        *(HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT),
    }
)
_LONGEST_ERROR: Final = 300

Tensors = Mapping[str, NDArray[np.float32]]


class TensorClient:
    """One server.

    Parameters
    ----------
    client
        With the base URL, the key and whom to trust.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def server(self) -> dict[str, Any]:
        """Return what the server says of itself.

        Raises
        ------
        ExecutorAway
            If it does not answer, or not as the protocol says.
        """
        return _object_of(self._ask("GET", "/v2"))

    def model(self, name: str, version: str | None) -> dict[str, Any]:
        """Return what the server says of a model.

        Raises
        ------
        ModelNotFound
            If it has no such model.
        ExecutorAway
            As `server`.
        """
        answer = self._ask("GET", _path(name, version), {HTTPStatus.NOT_FOUND})
        if answer.status_code == HTTPStatus.NOT_FOUND:
            label = name if version is None else f"{name} {version}"
            raise ModelNotFound(f"The server that computes has no model {label}: load it there")
        return _object_of(answer)

    def infer(
        self, name: str, version: str | None, inputs: Tensors, outputs: Sequence[str], binary: bool
    ) -> dict[str, NDArray[np.float32]]:
        """Return the outputs of a model, by name.

        Parameters
        ----------
        binary
            Whether tensors go as bytes; else as text, which every server reads.

        Raises
        ------
        PredictionFailed
            If the server could not compute, or gave something else than it was asked for.
        ExecutorAway
            As `server`.
        """
        content, headers = _request(inputs, outputs, binary)
        answer = self._ask("POST", f"{_path(name, version)}/infer", (), content, headers)
        given = _outputs_of(answer)
        if missing := sorted(set(outputs) - set(given)):
            raise PredictionFailed(f"The server that computes gave no {', '.join(missing)}")
        return given

    def _ask(
        self,
        method: str,
        path: str,
        accepted: Collection[int] = (),
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Return a good answer; ask again where the server is away for a moment."""
        for pause in (*_PAUSES, None):
            try:
                answer = self._client.request(method, path, content=content, headers=headers)
                return _checked(answer, accepted)
            except httpx.TimeoutException as error:
                # Not again at once: the lease of the jobs would end meanwhile.
                raise _away(error) from error
            except (httpx.TransportError, ExecutorAway) as error:
                away = error
            if pause is not None:
                time.sleep(pause)
        if isinstance(away, ExecutorAway):
            raise away
        raise _away(away) from away


def _away(error: httpx.TransportError) -> ExecutorAway:
    cause = f"{type(error).__name__}; does it run, and is executor_url right?"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        cause = "its certificate is not trusted; executor_ca names the authorities that are"
    return ExecutorAway(f"The server that computes does not answer: {cause}")


def _checked(answer: httpx.Response, accepted: Collection[int]) -> httpx.Response:
    status = answer.status_code
    if status == HTTPStatus.OK or status in accepted:
        return answer
    told = f"The server that computes answered {status}: {_error_of(answer)}"
    raise (ExecutorAway if status in _AWAY else PredictionFailed)(told)


def _path(name: str, version: str | None) -> str:
    return f"/v2/models/{name}" + ("" if version is None else f"/versions/{version}")


def _object_of(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError as error:
        raise ExecutorAway("The server that computes does not speak the protocol") from error
    if not isinstance(told, dict):
        raise ExecutorAway("The server that computes does not speak the protocol")
    return told


def _error_of(answer: httpx.Response) -> str:
    try:
        told = answer.json()
    except ValueError:
        return "without a cause"
    cause = told.get("error") if isinstance(told, dict) else None
    return str(cause or "without a cause")[:_LONGEST_ERROR]


def _request(inputs: Tensors, outputs: Sequence[str], binary: bool) -> tuple[bytes, dict[str, str]]:
    tensors = [
        {"name": name, "shape": list(array.shape), "datatype": _FLOAT, **_data(array, binary)}
        for name, array in inputs.items()
    ]
    wanted = [{"name": name, "parameters": {"binary_data": binary}} for name in outputs]
    # The protocol asks for none, and KServe does not answer without.
    asked = {"id": uuid.uuid4().hex, "inputs": tensors, "outputs": wanted}
    text = json.dumps(asked).encode()
    if not binary:
        return text, {"Content-Type": "application/json"}
    behind = b"".join(np.ascontiguousarray(array, "<f4").tobytes() for array in inputs.values())
    headers = {"Content-Type": "application/octet-stream", _JSON_LENGTH: str(len(text))}
    return text + behind, headers


def _data(array: NDArray[np.float32], binary: bool) -> dict[str, Any]:
    if binary:
        return {"parameters": {"binary_data_size": array.nbytes}}
    return {"data": array.ravel().tolist()}


def _outputs_of(answer: httpx.Response) -> dict[str, NDArray[np.float32]]:
    length = int(answer.headers.get(_JSON_LENGTH, len(answer.content)))
    behind = memoryview(answer.content)[length:]
    found = {}
    try:
        for told in json.loads(answer.content[:length])["outputs"]:
            size = (told.get("parameters") or {}).get("binary_data_size", 0)
            found[str(told["name"])] = _array_of(told, behind[:size])
            behind = behind[size:]
    except (ValueError, KeyError, TypeError) as error:
        raise PredictionFailed("The answer of the server that computes cannot be read") from error
    return found


def _array_of(told: Mapping[str, Any], kept: memoryview) -> NDArray[np.float32]:
    shape = [int(length) for length in told["shape"]]
    if told["datatype"] != _FLOAT:
        raise ValueError("only FP32 is read")
    array = np.frombuffer(kept, "<f4") if kept else np.asarray(told["data"], np.float32).ravel()
    if array.size != math.prod(shape):
        raise ValueError("the data has not the shape it says")
    return array.reshape(shape).astype(np.float32)
