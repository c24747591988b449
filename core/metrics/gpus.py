"""The GPUs of this host, as their driver's own tool tells; none where there is no such tool."""

import shutil
import subprocess
from dataclasses import dataclass
from typing import Final

_TOOL: Final = "nvidia-smi"
_FIELDS: Final = "index,memory.used,memory.total,utilization.gpu"
#: A driver that hangs must not hang the monitor.
_PATIENCE_SECONDS: Final = 3.0
_MIB: Final = 1 << 20


@dataclass(frozen=True)
class Gpu:
    """One GPU: bytes of memory in use and in all, and the share of time it computed, 0 to 1."""

    index: str
    used_bytes: int
    total_bytes: int
    utilization: float


def read_gpus() -> list[Gpu]:
    """Return the GPUs; none where the tool is missing, fails or does not answer in time."""
    tool = shutil.which(_TOOL)
    if tool is None:
        return []
    command = [tool, f"--query-gpu={_FIELDS}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, capture_output=True, text=True, check=True, timeout=_PATIENCE_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [gpu for line in done.stdout.splitlines() if (gpu := _gpu_of(line)) is not None]


def _gpu_of(line: str) -> Gpu | None:
    try:
        index, used, total, percent = (cell.strip() for cell in line.split(","))
        return Gpu(index, int(used) * _MIB, int(total) * _MIB, float(percent) / 100)
    except ValueError:
        # A GPU in parts says [N/A].
        return None
