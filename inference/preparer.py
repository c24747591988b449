"""One process that prepares scans, one after the other; a new one takes the place of a dead one."""

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from time import monotonic
from typing import Final

from core.ledger import Claim
from core.logs import get_logger
from core.process_pool import kill_processes
from core.settings import Settings
from inference.errors import PreparationAway, PreparationDied, PreparationHung
from inference.examination import AgeLimits
from inference.preparation_process import be_ready, open_process, prepare
from inference.prepared_scan import PreparedScan

_log = get_logger(__name__)

#: One it works on, and two that lie ready: as long as results take to be recorded.
DEPTH: Final = 3
#: A scan takes seconds, one that comes over a slow line minutes; what takes longer hangs.
_PATIENCE_SECONDS: Final = 600.0


@dataclass(frozen=True)
class Prepared:
    """How the preparation of one claimed job ended: with a scan, or with an error."""

    claimed: Claim
    scan: PreparedScan | None = None
    error: BaseException | None = None


@dataclass(frozen=True)
class _Task:
    """`claimed` is None for the first task of a process, which tells that it is ready."""

    future: Future[PreparedScan | None]
    claimed: Claim | None = None
    age_limits_years: AgeLimits | None = None


class Preparer:
    """One process, started at once.

    Parameters
    ----------
    settings
        What it opens record and storage by.

    Attributes
    ----------
    patience_seconds
        A process that takes longer over one scan is killed.

    Raises
    ------
    PreparationAway
        If the machine gives no process.
    """

    def __init__(self, settings: Settings) -> None:
        self.patience_seconds = _PATIENCE_SECONDS
        self._settings = settings
        self._tasks: deque[_Task] = deque()
        #: Since when it works on the first of its tasks.
        self._began_at = monotonic()
        self._executor = self._start()

    @property
    def room(self) -> int:
        """How many more scans it takes."""
        return DEPTH - sum(task.claimed is not None for task in self._tasks)

    @property
    def futures(self) -> Iterator[Future[PreparedScan | None]]:
        """What it works on."""
        return (task.future for task in self._tasks)

    def submit(self, claimed: Claim, age_limits_years: AgeLimits) -> None:
        """Have a job's instance prepared.

        Raises
        ------
        PreparationAway
            If the process died while it had nothing to do, and no other could be started.
        """
        key = int(claimed.subject)
        future: Future[PreparedScan | None]
        try:
            future = self._executor.submit(prepare, key, age_limits_years)
        except BrokenProcessPool:
            self._executor.shutdown(wait=True)
            self._start_another()
            future = self._executor.submit(prepare, key, age_limits_years)
        self._add(_Task(future, claimed, age_limits_years))

    def collect(self) -> list[Prepared]:
        """Return what is done, in order.

        Of a process that died, or hung and was killed, only the scan it worked on failed; the next
        one takes the others.

        Raises
        ------
        PreparationAway
            If it died before it was ready, or no other could be started.
        """
        done = []
        while self._tasks and (self._tasks[0].future.done() or self._is_hanging):
            task = self._tasks.popleft()
            self._began_at = monotonic()
            error = self._error_of(task)
            if task.claimed is not None:
                scan = None if error else task.future.result()
                done.append(Prepared(task.claimed, scan, error))
        return done

    def close(self) -> None:
        """End the process when it is through with its scan."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _add(self, task: _Task) -> None:
        if not self._tasks:
            self._began_at = monotonic()
        self._tasks.append(task)

    @property
    def _is_hanging(self) -> bool:
        return monotonic() - self._began_at > self.patience_seconds

    def _error_of(self, task: _Task) -> BaseException | None:
        """Return how a task failed that is done, or hangs; None where it did not."""
        if not task.future.done():
            kill_processes(self._executor)
            self._replace(task)
            return PreparationHung()
        error = task.future.exception()
        if isinstance(error, BrokenProcessPool):
            self._executor.shutdown(wait=True)
            self._replace(task)
            return PreparationDied()
        return error

    def _replace(self, guilty: _Task) -> None:
        waiting, self._tasks = self._tasks, deque()
        self._start_another()
        for task in waiting:
            if task.claimed is not None and task.age_limits_years is not None:
                self.submit(task.claimed, task.age_limits_years)
        if guilty.claimed is None:
            raise PreparationAway("A process that prepares scans died before it was ready")

    def _start_another(self) -> None:
        _log.error("preparation_process_died")
        self._executor = self._start()

    def _start(self) -> ProcessPoolExecutor:
        # Spawned: TensorFlow, which the worker loads, does not survive a fork.
        context = multiprocessing.get_context("spawn")
        executor = ProcessPoolExecutor(1, context, open_process, (self._settings,))
        try:
            self._add(_Task(executor.submit(be_ready)))
        except OSError as error:
            raise PreparationAway(
                f"The machine gives no process to prepare scans: {error.strerror}"
            ) from error
        return executor
