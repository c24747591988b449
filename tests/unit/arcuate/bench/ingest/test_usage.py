"""Measured on processes that do a known thing."""

import subprocess
import sys

from arcuate.bench.ingest.usage import watching
from arcuate.waiting import wait_until

#: Starts a child that holds 60 MB and works for 0.3 s of processor time; says so, and waits.
PARENT = """
import subprocess, sys
child = (
    "import time; held = bytearray(60_000_000); held[::4096] = bytes([1]) * len(held[::4096]);"
    "started = time.process_time()\\n"
    "while time.process_time() - started < 0.3: pass\\n"
)
sys.stdin.readline()
subprocess.run([sys.executable, "-c", child], check=True)
print("done", flush=True)
sys.stdin.readline()
"""


def test_children_count_after_they_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        with watching(parent.pid) as usage:
            parent.stdin.write("\n")
            parent.stdin.flush()
            assert parent.stdout.readline() == "done\n"
            assert wait_until(lambda: parent.pid in usage.peaks, patience_seconds=30)
        parent.stdin.write("\n")

    assert usage.processor_seconds >= 0.3
    assert usage.largest_process_bytes > 60_000_000
    assert usage.all_processes_bytes > usage.largest_process_bytes
    assert len(usage.peaks) == 2


def test_idle_process_costs_nothing() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as idle:
        assert idle.stdout is not None
        assert idle.stdout.readline() == "\n"
        with watching(idle.pid) as usage:
            assert wait_until(lambda: idle.pid in usage.peaks, patience_seconds=30)
        idle.communicate("\n")

    assert usage.processor_seconds < 0.1
    assert list(usage.peaks) == [idle.pid]
