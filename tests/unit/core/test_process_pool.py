import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from arcuate.waiting import wait_until
from core.process_pool import ProcessPool, WorkerDied, WorkerHung

KILLER = 13


def squared_unless_killed(number: int) -> int:
    if number == KILLER:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def refused(number: int) -> int:
    raise ValueError(str(number))


@pytest.mark.parametrize("processes", [0, 2])
def test_results_come_in_order(processes: int) -> None:
    with ProcessPool(processes) as pool:
        found = list(pool.results(squared_unless_killed, range(10)))

    assert found == [(number, number * number) for number in range(10)]


def test_process_that_dies_costs_only_its_item() -> None:
    with ProcessPool(2) as pool:
        found = list(pool.results(squared_unless_killed, range(20)))

    assert [item for item, _ in found] == list(range(20))
    assert [item for item, result in found if isinstance(result, WorkerDied)] == [KILLER]
    assert {result for item, result in found if item != KILLER} == {
        number * number for number in range(20) if number != KILLER
    }


def squared_unless_stopped(number: int) -> int:
    if number == KILLER:
        os.kill(os.getpid(), signal.SIGSTOP)
    return number * number


def test_process_that_hangs_costs_only_its_item() -> None:
    with ProcessPool(1) as pool:
        results = pool.results(squared_unless_stopped, [1, KILLER, 2, 3])
        begun = next(results)
        usual, pool.patience_seconds = pool.patience_seconds, 0.2
        _, hung = next(results)
        pool.patience_seconds = usual
        others = list(results)

    assert [begun, *others] == [(1, 1), (2, 4), (3, 9)]
    assert isinstance(hung, WorkerHung)


def test_what_the_work_raises_is_raised() -> None:
    with ProcessPool(1) as pool, pytest.raises(ValueError, match="7"):
        list(pool.results(refused, [7]))


ENDLESS = """
import itertools, os, sys
from core.process_pool import ProcessPool
from tests.unit.core.test_process_pool import own_process

if __name__ == "__main__":
    for _, number in ProcessPool(1).results(own_process, itertools.count()):
        print(number, flush=True)
"""


def own_process(_: int) -> int:
    return os.getpid()


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "Z (zombie)" not in Path(f"/proc/{process}/status").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_processes_end_with_whoever_started_them(tmp_path: Path) -> None:
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS)
    folders = os.pathsep.join([str(Path.cwd()), *sys.path])
    parent = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": folders},
        text=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())

    parent.kill()
    parent.communicate()

    assert child != parent.pid
    assert wait_until(lambda: not is_alive(child), 30)
