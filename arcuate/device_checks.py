"""Checks of what computes: TensorFlow's builds, and the device that really runs the model."""

import os
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Final

from arcuate.finding import Finding, Health
from core.settings import Settings
from inference.executors.register import executor_of
from inference.loading import active_card
from inference.runtimes.register import KERAS_BACKEND
from inference.scorer import Scorer

_CPU_BUILD: Final = "tensorflow-cpu"
#: Where the driver of NVIDIA's devices tells of itself.
_NVIDIA_DRIVER: Final = Path("/proc/driver/nvidia/version")


def check_tensorflow(_settings: Settings) -> Finding:
    """Look for one build of TensorFlow, or for none where JAX computes."""
    # Wheels write their name with an underscore, indexes with a hyphen.
    names = {distribution.name.lower().replace("_", "-") for distribution in distributions()}
    installed = sorted(names & {_CPU_BUILD, "tensorflow"})
    if len(installed) == 1:
        return Finding("tensorflow", Health.GOOD, f"{installed[0]} {version(installed[0])}")
    if not installed and os.environ.get(KERAS_BACKEND, "") == "jax":
        remedy = "SavedModels need it; Keras files run on JAX."
        return Finding("tensorflow", Health.NOTE, "not installed", remedy)
    found = "both builds are installed" if installed else "not installed"
    remedy = "Make the environment anew from one lock: requirements/run.lock or gpu.lock."
    return Finding("tensorflow", Health.WRONG, found, remedy)


def check_device(settings: Settings) -> Finding:
    """Load the model that scores and let it answer: only that shows which device runs it.

    Raises
    ------
    DeviceUnavailable, ExecutorAway, ModelDamaged, ModelNotFound, RuntimeUnavailable
        If it cannot run.
    """
    used = Scorer.on(executor_of(settings), active_card(settings)).predictor.device_used
    is_here = settings.executor == "inprocess"
    found = f"{used}; asked for {settings.device if is_here else settings.executor}"
    if used.device == "CPU" and settings.device == "auto" and _NVIDIA_DRIVER.exists():
        remedy = "This host has a GPU that is not used: install from requirements/gpu.lock."
        return Finding("device", Health.NOTE, found, remedy)
    return Finding("device", Health.GOOD, found)
