import tracemalloc
from typing import Any, Final

import numpy as np
import pytest

from api.errors import BodyMalformed
from api.inference_protocol.decoding import question_of
from api.inference_protocol.ports import ModelPorts
from api.inference_protocol.schemas import InferIn
from core.model_choice import KnownModel
from core.values.prediction import ModelIdentity

_MODEL: Final = KnownModel(ModelIdentity("some", "1.0.0", "sha256:0"), "circle scan")
_PORTS: Final = ModelPorts(_MODEL, "profile", (3, 1), True, False, "onnx_onnxv1")


def tensor(name: str, shape: list[int], **more: Any) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": "FP32", **more}


def asked(*inputs: dict[str, Any]) -> InferIn:
    return InferIn.model_validate({"inputs": list(inputs)})


_AGE: Final = tensor("age", [1, 1], data=[60])


@pytest.mark.parametrize("beside", [1, [1, [2]]])
def test_a_long_text_among_numbers_takes_no_more_than_its_own_memory(beside: Any) -> None:
    data = ["a" * 50_000, *[beside] * 500]
    question = asked(tensor("profile", [1, 3, 1], data=data), _AGE)

    tracemalloc.start()
    with pytest.raises(BodyMalformed, match="no array of numbers"):
        question_of(question, b"", _PORTS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1_000_000


def test_tensors_that_are_too_many_are_refused_before_any_is_read() -> None:
    many = [tensor("age", [1, 1], parameters={"binary_data_size": 1})] * 3

    # Of the first alone it would say that one byte is no whole value.
    with pytest.raises(BodyMalformed, match="one tensor for each input"):
        question_of(asked(*many), b"123", _PORTS)


def test_numbers_nested_as_their_shape_and_flat_are_the_same() -> None:
    flat = asked(tensor("profile", [1, 3, 1], data=[1, 2.5, 3]), _AGE)
    nested = asked(tensor("profile", [1, 3, 1], data=[[[1], [2.5], [3]]]), _AGE)

    for question in (flat, nested):
        found = question_of(question, b"", _PORTS)
        np.testing.assert_array_equal(found.structure, [[1, 2.5, 3]])
        np.testing.assert_array_equal(found.age_years, [60])


@pytest.mark.parametrize("shape", [[1] * 65 + [3], [10**400, 0], [3] * 100_000])
def test_a_shape_of_too_many_or_too_long_axes_is_refused(shape: list[int]) -> None:
    data: list[float] = [] if 0 in shape else [1, 2, 3]

    with pytest.raises(BodyMalformed):
        question_of(asked(tensor("profile", shape, data=data), _AGE), b"", _PORTS)
