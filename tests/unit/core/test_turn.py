import subprocess
import sys
import threading
import time
from pathlib import Path

from core.turn import Turn

#: Takes turns, and writes when each began and ended.
TAKING = """
import sys, time
from pathlib import Path
from core.turn import Turn
turn = Turn(Path(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    with turn:
        began = time.monotonic()
        time.sleep(0.002)
        print(began, time.monotonic(), flush=True)
"""


def take_turns(path: Path, times: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", TAKING, str(path), str(times)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def turns_of(process: "subprocess.Popen[str]") -> list[tuple[float, float]]:
    lines = process.communicate(timeout=60)[0].splitlines()
    return [(float(began), float(ended)) for began, ended in (line.split() for line in lines)]


def test_turns_of_processes_do_not_overlap(tmp_path: Path) -> None:
    processes = [take_turns(tmp_path / "turn", 20) for _ in range(3)]

    turns = sorted(turn for process in processes for turn in turns_of(process))

    assert len(turns) == 60
    assert all(turns[n][1] <= turns[n + 1][0] for n in range(59))


def test_turns_of_threads_do_not_overlap(tmp_path: Path) -> None:
    turn, inside, most = Turn(tmp_path / "turn"), 0, 0

    def take() -> None:
        nonlocal inside, most
        for _ in range(50):
            with turn:
                inside += 1
                most = max(most, inside)
                time.sleep(0.0001)
                inside -= 1

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1


def test_a_killed_process_gives_its_turn_back(tmp_path: Path) -> None:
    holding = subprocess.Popen(
        [sys.executable, "-c", TAKING.replace("0.002", "600"), str(tmp_path / "turn"), "1"]
    )
    turn = Turn(tmp_path / "turn")
    while not (tmp_path / "turn").exists():
        time.sleep(0.01)
    holding.kill()
    holding.wait()

    with turn:
        assert (tmp_path / "turn").exists()


def test_without_the_file_the_block_runs(tmp_path: Path) -> None:
    with Turn(tmp_path / "missing" / "turn"):
        assert list(tmp_path.iterdir()) == []
