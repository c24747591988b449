"""Runs ONNX files on ONNX Runtime."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as errors

from inference.errors import ModelDamaged, OutOfMemory, PredictionFailed
from inference.runtimes.compiled_network import DeviceUsed, Port
from inference.runtimes.device import choose_gpu
from inference.runtimes.onnx_graph import read_onnx

_NAME: Final = f"ONNX Runtime {onnxruntime.__version__}"
_CPU: Final = "CPUExecutionProvider"
_CUDA: Final = "CUDAExecutionProvider"
#: ONNX Runtime does not count them; a number too high fails once the network is placed.
_MOST_GPUS: Final = 64
_ERRORS_ONLY: Final = 3

#: What it raises has no common class of its own.
_UNREADABLE: Final = (
    *(errors.Fail, errors.InvalidArgument, errors.InvalidGraph, errors.InvalidProtobuf),
    *(errors.NotImplemented, errors.NoSuchFile, errors.RuntimeException),
)
#: What it says where memory ends: its own arena, the C++ library, and CUDA.
_NO_MEMORY: Final = ("Failed to allocate memory", "bad_alloc", "out of memory")
_STOPPED: Final = (errors.Fail, errors.InvalidArgument, errors.RuntimeException, errors.EPFail)


def load_network(weights: Path, device: str) -> "OnnxNetwork":
    """Return the network in that file on that device; errors as `Network.load`."""
    content = read_onnx(weights)
    gpu = choose_gpu(device, _count_gpus, _NAME)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    try:
        session = onnxruntime.InferenceSession(content, options, providers=_providers(gpu))
    except _UNREADABLE as error:
        raise ModelDamaged(
            f"{weights.name} is not a network {_NAME} can read: {error}. Export it again for this "
            "version or an older one."
        ) from error
    return OnnxNetwork(session, weights.name, gpu or 0)


class OnnxNetwork:
    """A network ONNX Runtime holds on one device."""

    def __init__(self, session: onnxruntime.InferenceSession, label: str, gpu: int) -> None:
        self.inputs = tuple(_port(entry, label) for entry in session.get_inputs())
        self.outputs = tuple(_port(entry, label) for entry in session.get_outputs())
        self._session = session
        self._gpu = gpu

    def run(self, arrays: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Return every output for one batch; errors as `CompiledNetwork.run`."""
        named = {port.name: array for port, array in zip(self.inputs, arrays, strict=True)}
        try:
            return [np.asarray(output) for output in self._session.run(None, named)]
        except _STOPPED as error:
            if any(words in str(error) for words in _NO_MEMORY):
                raise OutOfMemory(
                    f"{self.device_used.device} has too little memory for a batch of "
                    f"{len(arrays[0])}."
                ) from error
            raise PredictionFailed(f"The network stopped: {error}") from error

    @property
    def device_used(self) -> DeviceUsed:
        """What the network was placed on."""
        is_gpu = self._session.get_providers()[0] == _CUDA
        return DeviceUsed(f"GPU:{self._gpu}" if is_gpu else "CPU", _NAME)


def _count_gpus() -> int:
    return _MOST_GPUS if _CUDA in onnxruntime.get_available_providers() else 0


def _providers(gpu: int | None) -> list[str | tuple[str, dict[str, str]]]:
    if gpu is None:
        return [_CPU]
    # Inputs of products would be rounded to 10 bits, for no gain on a small network.
    return [(_CUDA, {"device_id": str(gpu), "use_tf32": "0"}), _CPU]


def _port(entry: Any, label: str) -> Port:
    shape = [length if isinstance(length, int) else None for length in entry.shape]
    if not shape or shape[0] is not None or entry.type != "tensor(float)":
        raise ModelDamaged(
            f"`{entry.name}` of {label} is {entry.type} {entry.shape}; every input and output must "
            "be float32 with the number of eyes left open. Export it so."
        )
    return Port(entry.name, tuple(shape[1:]))
