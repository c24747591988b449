import os
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from arcuate.workers import usable_gpus, worker_environments
from core.settings import Settings


@pytest.mark.parametrize(
    ("device", "workers", "gpus", "seen"),
    [
        ("auto", "auto", (), [None]),
        ("auto", "auto", ("0", "1"), ["0", "1"]),
        ("gpu", "auto", ("2", "GPU-5ad"), ["2", "GPU-5ad"]),
        ("auto", 3, ("0", "1"), ["0", "1", "0"]),
        ("auto", 3, (), [None, None, None]),
        ("auto", 1, ("0", "1"), [None]),
        ("cpu", "auto", ("0", "1"), [None]),
        ("gpu:1", "auto", ("0", "1"), [None]),
    ],
)
def test_each_worker_sees_a_gpu_of_its_own(
    device: str, workers: Any, gpus: tuple[str, ...], seen: list[str | None]
) -> None:
    settings = Settings(device=device, workers=workers)

    found = worker_environments(settings, lambda: gpus)

    assert [one.get("CUDA_VISIBLE_DEVICES") for one in found] == seen
    assert all(one.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID" for one in found if one)


def test_gpus_the_library_cannot_use_get_no_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver tells of two; the build of TensorFlow that is installed here uses none."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nfor gpu in 0 1; do echo $gpu, 1024, 40960, 37; done\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with capture_logs() as logs:
        found = usable_gpus()

    assert found == ()
    assert [(one["by_driver"], one["by_library"]) for one in logs] == [(2, 0)]


def test_gpus_hidden_from_the_node_are_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")

    assert usable_gpus() == ()
