"""Where the workers of a host compute: a process for each GPU, told apart by their environment."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from core.logs import get_logger
from core.metrics.gpus import read_gpus
from core.settings import Settings

_log = get_logger(__name__)

#: Read by CUDA itself: which GPUs a process may see at all, and in which order they are counted.
VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
ORDER: Final = "CUDA_DEVICE_ORDER"

_COUNT: Final = "from inference.runtimes.register import count_gpus; print(count_gpus())"
#: Loading a GPU build takes many seconds, longer on a busy machine.
_PATIENCE_SECONDS: Final = 120.0


def usable_gpus() -> tuple[str, ...]:
    """Return the GPUs the node's library can compute on, as `CUDA_VISIBLE_DEVICES` names them.

    None where there are fewer than two: then there is nothing to deal out.
    """
    named = os.environ.get(VISIBLE)
    gpus = [gpu.index for gpu in read_gpus()] if named is None else named.split(",")
    if len(gpus) < 2:
        return ()
    counted = _count_gpus()
    if counted != len(gpus):
        _log.warning("gpus_not_used", by_driver=len(gpus), by_library=counted)
        return ()
    return tuple(gpus)


def worker_environments(
    settings: Settings, gpus: Callable[[], Sequence[str]] = usable_gpus
) -> list[Mapping[str, str]]:
    """Return for each worker of this host what its environment has besides ours.

    Parameters
    ----------
    gpus
        Asked only where the settings leave the choice of GPUs open.
    """
    if settings.workers == 1:
        return [{}]
    found = gpus() if settings.device in {"auto", "gpu"} else ()
    count = max(1, len(found)) if settings.workers == "auto" else settings.workers
    if not found:
        return [{} for _ in range(count)]
    # A worker sees its own GPU alone: a library takes memory of each one that it sees.
    return [{ORDER: "PCI_BUS_ID", VISIBLE: found[worker % len(found)]} for worker in range(count)]


def _count_gpus() -> int:
    """Ask the library in a process of its own: the one that asks takes memory of each GPU."""
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and our own words
            [sys.executable, "-c", _COUNT],
            capture_output=True,
            text=True,
            check=True,
            timeout=_PATIENCE_SECONDS,
            env={**os.environ, ORDER: "PCI_BUS_ID"},
        )
    except (OSError, subprocess.SubprocessError) as error:
        _log.warning("gpus_not_counted", cause=type(error).__name__)
        return 0
    return int(done.stdout.split()[-1])
