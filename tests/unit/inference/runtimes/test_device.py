import pytest

from inference.errors import DeviceUnavailable
from inference.runtimes.device import choose_gpu


@pytest.mark.parametrize(
    ("device", "gpus", "expected"),
    [
        ("auto", 0, None),
        ("auto", 2, 0),
        ("cpu", 2, None),
        ("gpu", 1, 0),
        ("gpu:0", 1, 0),
        ("gpu:1", 2, 1),
    ],
)
def test_device_is_the_one_asked_for(device: str, gpus: int, expected: int | None) -> None:
    assert choose_gpu(device, lambda: gpus, "TensorFlow") == expected


@pytest.mark.parametrize(("device", "gpus"), [("gpu", 0), ("gpu:0", 0), ("gpu:2", 2)])
def test_device_that_is_not_there_is_refused_with_what_to_do(device: str, gpus: int) -> None:
    with pytest.raises(DeviceUnavailable, match=f"sees {gpus} GPUs, so {device} .*ARCUATE_DEVICE"):
        choose_gpu(device, lambda: gpus, "TensorFlow")


@pytest.mark.parametrize("device", ["", "tpu", "gpu:", "gpu:x", "gpu:-1", "cpu:1", "GPU"])
def test_what_is_no_device_is_refused(device: str) -> None:
    with pytest.raises(DeviceUnavailable, match="is no device; use auto, cpu, gpu or gpu:N"):
        choose_gpu(device, lambda: 9, "TensorFlow")


def test_processor_asks_for_no_gpu() -> None:
    def count() -> int:
        raise AssertionError("asking takes some of the GPUs")

    assert choose_gpu("cpu", count, "TensorFlow") is None
