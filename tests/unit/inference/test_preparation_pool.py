import os
import signal
import subprocess
import sys
from pathlib import Path

from arcuate.waiting import wait_until
from core.settings import Settings
from inference.preparation_pool import preparation_pool

PATIENCE_SECONDS = 120.0
_PARENT = """
import multiprocessing, sys
from core.settings import Settings
from inference.preparation_pool import PreparationPool

if __name__ == "__main__":
    pool = PreparationPool(Settings.model_validate_json(sys.argv[1]))
    pool.wait_until_ready()
    print(*(process.pid for process in multiprocessing.active_children()), flush=True)
    sys.stdin.read()
"""


def test_processes_end_with_a_parent_that_is_killed(settings: Settings, tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(_PARENT)
    one = settings.model_copy(update={"preparation_processes": 1})
    with subprocess.Popen(
        [sys.executable, program, one.model_dump_json()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        (child,) = map(int, parent.stdout.readline().split())

        os.kill(parent.pid, signal.SIGKILL)

        assert wait_until(lambda: not is_running(child), PATIENCE_SECONDS)


def is_running(process_id: int) -> bool:
    """Whether a process lives; one that ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_no_process_is_started_where_none_is_wanted(settings: Settings) -> None:
    none = settings.model_copy(update={"preparation_processes": 0})

    with preparation_pool(none) as pool:
        assert pool is None
