"""What a process and everything it started cost: processor time and memory, from /proc."""

import os
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

#: Often enough to see a process that lives for one association.
_SAMPLE_SECONDS: Final = 0.02
_KILOBYTE: Final = 1024
_PROC: Final = Path("/proc")
#: Position of utime behind the command's name in /proc/PID/stat; stime, cutime, cstime follow.
_USER_TIME: Final = 11


@dataclass
class Usage:
    """What was used between two moments.

    Attributes
    ----------
    processor_seconds
        User and system time of all processes of the tree, ended ones too.
    peaks
        Highest resident set (VmHWM) of each process by its id, bytes, since its start.
    """

    processor_seconds: float = 0.0
    peaks: dict[int, int] = field(default_factory=dict)

    @property
    def largest_process_bytes(self) -> int:
        """The peak of the process with the highest."""
        return max(self.peaks.values(), default=0)

    @property
    def all_processes_bytes(self) -> int:
        """The sum of all peaks, pages that processes share counted in each."""
        return sum(self.peaks.values())


@contextmanager
def watching(process_id: int) -> Generator[Usage]:
    """Fill in the usage of a process and its descendants until the block ends."""
    usage, stopping = Usage(), threading.Event()
    before = _processor_seconds(process_id)
    watcher = threading.Thread(target=_watch, args=(process_id, usage, stopping))
    watcher.start()
    try:
        yield usage
    finally:
        stopping.set()
        watcher.join()
        usage.processor_seconds = _processor_seconds(process_id) - before


def _watch(process_id: int, usage: Usage, stopping: threading.Event) -> None:
    is_over = False
    while not is_over:
        is_over = stopping.wait(_SAMPLE_SECONDS)
        for member in _tree(process_id):
            usage.peaks[member] = max(usage.peaks.get(member, 0), _peak_bytes(member))


def _tree(process_id: int) -> Iterator[int]:
    """Yield the process and its living descendants."""
    yield process_id
    for child in _children(process_id):
        yield from _tree(child)


def _children(process_id: int) -> list[int]:
    try:
        tasks = list((_PROC / str(process_id) / "task").glob("*/children"))
    except (FileNotFoundError, ProcessLookupError):
        # It ended between being seen and being read.
        return []
    return [int(child) for task in tasks for child in _read(task).split()]


def _processor_seconds(process_id: int) -> float:
    # What a process waited for is counted in its parent, the living by themselves: each once.
    ticks = sum(_ticks(member) for member in _tree(process_id))
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(process_id: int) -> int:
    behind_name = _read(_PROC / str(process_id) / "stat").rpartition(")")[2].split()
    return sum(int(number) for number in behind_name[_USER_TIME : _USER_TIME + 4])


def _peak_bytes(process_id: int) -> int:
    for line in _read(_PROC / str(process_id) / "status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * _KILOBYTE
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        # It ended between being seen and being read.
        return ""
