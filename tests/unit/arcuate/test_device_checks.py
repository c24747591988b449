import re
from pathlib import Path

import pytest

from arcuate.checks import run_check
from arcuate.device_checks import _NVIDIA_DRIVER, check_tensorflow
from arcuate.finding import Health
from core.settings import Settings


def test_device_is_the_one_that_ran(tmp_path: Path) -> None:
    found = run_check("device", Settings(home=tmp_path, device="cpu"))

    assert found.health is Health.GOOD
    assert re.fullmatch(r"CPU \(TensorFlow 2\.\S+, Keras 3\.\S+\); asked for cpu", found.found)


@pytest.mark.parametrize("device", ["gpu:99", "gpu"])
def test_gpu_that_is_not_there_is_wrong(tmp_path: Path, device: str) -> None:
    if device == "gpu" and _NVIDIA_DRIVER.exists():
        pytest.skip("there is a GPU here")

    found = run_check("device", Settings(home=tmp_path, device=device))

    assert found.health is Health.WRONG
    assert re.search(rf"GPUs, so {device} is not there\. Check the driver", found.found)


def test_one_build_of_tensorflow_is_good(tmp_path: Path) -> None:
    found = check_tensorflow(Settings(home=tmp_path))

    assert found.health is Health.GOOD
    assert re.fullmatch(r"tensorflow(-cpu)? 2\.\S+", found.found)
