from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.errors import DeviceUnavailable, ModelDamaged, OutOfMemory, PredictionFailed
from inference.runtimes.compiled_network import Port
from inference.runtimes.onnx_runtime import load_network
from tests.unit.inference.runtimes.networks import eyes, save_onnx, small_onnx


def test_gives_the_field_and_says_where(tmp_path: Path) -> None:
    from onnx import numpy_helper

    model = small_onnx()
    weights, bias = (numpy_helper.to_array(entry) for entry in model.graph.initializer)
    profiles, ages = eyes(3)

    network = load_network(save_onnx(model, tmp_path), "cpu")
    (found,) = network.run([profiles, ages])

    assert network.inputs == (Port("profile", (768, 1)), Port("age", (1,)))
    assert network.outputs == (Port("dense_1", (52,)),)
    expected = np.concatenate([profiles[:, :, 0], ages], axis=1) @ weights + bias
    assert found == pytest.approx(expected, abs=1e-3)
    assert network.device_used.device == "CPU"
    assert network.device_used.software.startswith("ONNX Runtime 1.")


def test_refuses_a_device_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeviceUnavailable, match="gpu:64 is not there"):
        load_network(save_onnx(small_onnx(), tmp_path), "gpu:64")


def test_takes_operations_the_file_itself_spells_out(tmp_path: Path) -> None:
    from onnx import helper

    model = small_onnx(domain="own")
    model.graph.node[0].op_type = "Unrolled"
    body = [helper.make_node("Flatten", ["x"], ["y"])]
    opsets = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("own", "Unrolled", ["x"], ["y"], body, opsets))
    profiles, ages = eyes(3)

    (found,) = load_network(save_onnx(model, tmp_path), "cpu").run([profiles, ages])

    (expected,) = load_network(save_onnx(small_onnx(), tmp_path), "cpu").run([profiles, ages])
    assert np.array_equal(found, expected)


def test_refuses_operations_from_elsewhere(tmp_path: Path) -> None:
    path = save_onnx(small_onnx(domain="elsewhere"), tmp_path)

    with pytest.raises(ModelDamaged, match=r"'first' is a elsewhere\.Flatten"):
        load_network(path, "cpu")


def test_refuses_operations_from_elsewhere_inside_a_branch(tmp_path: Path) -> None:
    from onnx import helper

    model = small_onnx()
    inner = small_onnx(domain="elsewhere").graph
    model.graph.node.append(
        helper.make_node("If", ["flag"], ["chosen"], then_branch=inner, else_branch=inner)
    )

    with pytest.raises(ModelDamaged, match=r"elsewhere\.Flatten"):
        load_network(save_onnx(model, tmp_path), "cpu")


def test_refuses_numbers_kept_in_other_files(tmp_path: Path) -> None:
    import onnx

    path = tmp_path / "small.onnx"
    onnx.save(small_onnx(), path, save_as_external_data=True, location="numbers", size_threshold=0)
    assert (tmp_path / "numbers").exists()

    with pytest.raises(ModelDamaged, match="keeps numbers in other files"):
        load_network(path, "cpu")


def doubles() -> Any:
    """Return a network that takes the age in double precision."""
    from onnx import TensorProto, helper

    model = small_onnx()
    model.graph.input[1].type.tensor_type.elem_type = TensorProto.DOUBLE
    model.graph.node[1].input[1] = "age32"
    model.graph.node.insert(0, helper.make_node("Cast", ["age"], ["age32"], to=TensorProto.FLOAT))
    return model


@pytest.mark.parametrize("build", [lambda: small_onnx(batch=1), doubles], ids=["one", "doubles"])
def test_refuses_what_is_not_float32_for_any_number_of_eyes(
    tmp_path: Path, build: Callable[[], Any]
) -> None:
    with pytest.raises(ModelDamaged, match="must be float32 with the number of eyes left open"):
        load_network(save_onnx(build(), tmp_path), "cpu")


@pytest.mark.parametrize("content", [b"", b"no protocol buffer at all", b"\x3a\xff\xff\xff\xff"])
def test_refuses_a_file_that_is_no_network(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "small.onnx"
    path.write_bytes(content)

    with pytest.raises(ModelDamaged, match="not a network in an ONNX file"):
        load_network(path, "cpu")


def test_refuses_a_network_that_is_cut_short(tmp_path: Path) -> None:
    path = save_onnx(small_onnx(), tmp_path)
    path.write_bytes(path.read_bytes()[:5000])

    with pytest.raises(ModelDamaged, match="cut short"):
        load_network(path, "cpu")


def test_refuses_an_operation_the_runtime_does_not_know(tmp_path: Path) -> None:
    model = small_onnx()
    model.graph.node[0].op_type = "Unheard"

    with pytest.raises(ModelDamaged, match="not a network ONNX Runtime"):
        load_network(save_onnx(model, tmp_path), "cpu")


def test_network_that_stops_is_a_failed_prediction(tmp_path: Path) -> None:
    network = load_network(save_onnx(small_onnx(), tmp_path), "cpu")
    profiles, ages = eyes(3)

    with pytest.raises(PredictionFailed, match="The network stopped"):
        network.run([profiles, ages[:2]])


def test_batch_that_does_not_fit_the_memory_is_told_as_such(tmp_path: Path) -> None:
    import onnx

    # A second output of 64 TiB for each eye.
    model = small_onnx()
    shape = onnx.numpy_helper.from_array(np.array([1, 2**44], np.int64), "shape")
    model.graph.initializer.append(shape)
    model.graph.node.append(onnx.helper.make_node("Expand", ["age", "shape"], ["huge"]))
    huge = onnx.helper.make_tensor_value_info("huge", onnx.TensorProto.FLOAT, ["eyes", 2**44])
    model.graph.output.append(huge)
    profiles, ages = eyes(3)

    network = load_network(save_onnx(model, tmp_path), "cpu")

    with pytest.raises(OutOfMemory, match="CPU has too little memory for a batch of 3"):
        network.run([profiles, ages])
