"""The processes that send, started together at one moment."""

import json
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from arcuate.bench.ingest.pdu import SendFailed
from arcuate.bench.ingest.send_plan import SendPlan, Timed
from arcuate.bench.ingest.starting_line import FAILURE, GO, READY


@dataclass(frozen=True)
class ReadyWorkers:
    """Workers that only wait for their start. `go` starts them and returns their times."""

    process_ids: tuple[int, ...]
    go: Callable[[], Sequence[Timed]]


@contextmanager
def ready_workers(module: str, plans: Sequence[SendPlan]) -> Generator[ReadyWorkers]:
    """Start a worker for each plan; when the block is entered all are prepared.

    Raises
    ------
    SendFailed
        If one could not prepare itself; `go` raises it if one could not do its work.
    """
    with ExitStack() as stack:
        workers = [_start(module, stack) for _ in plans]
        for worker, plan in zip(workers, plans, strict=True):
            _say(worker, plan.to_json())
        for worker in workers:
            _hear(worker)

        def go() -> Sequence[Timed]:
            for worker in workers:
                _say(worker, GO)
            return [Timed.from_json(_hear(worker)) for worker in workers]

        yield ReadyWorkers(tuple(worker.pid for worker in workers), go)


def _start(module: str, stack: ExitStack) -> subprocess.Popen[str]:
    worker = stack.enter_context(
        subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # An interrupt from the keyboard is ours to handle, not each worker's.
            start_new_session=True,
        )
    )
    # Called before the worker is waited for: nothing that hangs outlives the measurement.
    stack.callback(worker.kill)
    return worker


def _say(worker: subprocess.Popen[str], line: str) -> None:
    if worker.stdin is not None:
        worker.stdin.write(line + "\n")
        worker.stdin.flush()


def _hear(worker: subprocess.Popen[str]) -> str:
    line = worker.stdout.readline().strip() if worker.stdout is not None else ""
    if line == READY:
        return line
    if not line:
        raise SendFailed("A sending process ended without a result")
    if FAILURE in json.loads(line):
        raise SendFailed(json.loads(line)[FAILURE])
    return line
