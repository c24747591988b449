"""Work spread over processes, in order; one that dies costs only the item it worked on."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Final, Self, TypeVar

from core.errors import NodeError
from core.logs import configure_logs

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")

#: Items handed out for each process: none waits for the next, and few are redone after a death.
_AHEAD: Final = 3
#: Work takes less even in a process that gives way to all others; what takes longer hangs. Shorter
#: than a lease is held for it (`Lease.held`).
_PATIENCE_SECONDS: Final = 1500.0


class WorkerDied(NodeError):
    """The process that worked on this died of it: it is damaged, or memory ran out."""


class WorkerHung(WorkerDied):
    """The process that worked on this did not come to an end and was killed."""


def kill_processes(executor: ProcessPoolExecutor) -> None:
    """Kill the processes of an executor; nobody waits for one that even this does not end."""
    # The library offers it from Python 3.14 on.
    for process in list((executor._processes or {}).values()):  # noqa: SLF001
        process.kill()
    executor.shutdown(wait=False, cancel_futures=True)


class ProcessPool:
    """Processes that are started anew, never forked: the network's libraries do not survive that.

    Parameters
    ----------
    processes
        How many; 0 does the work in this one.
    niceness
        How far they give way to whatever else the machine does, 0 to 19.
    role
        What their log lines say they do.
    patience_seconds
        A process that takes longer over one item is killed.
    """

    def __init__(
        self,
        processes: int,
        niceness: int = 0,
        role: str = "prepare",
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self.processes = processes
        self.patience_seconds = patience_seconds
        self._niceness = niceness
        self._role = role
        self._executor: ProcessPoolExecutor | None = None
        self._starting = threading.Lock()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        self.close()

    def close(self) -> None:
        """End the processes; what they have not begun is dropped."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None

    def begin(self, work: Callable[[_Item], object], item: _Item) -> None:
        """Start the processes by giving one of them work that nobody waits for."""
        if self.processes:
            self._submit(work, item)

    def results(
        self, work: Callable[[_Item], _Found], items: Iterable[_Item]
    ) -> Iterator[tuple[_Item, _Found | WorkerDied]]:
        """Yield each item with what the work made of it, in order.

        Parameters
        ----------
        work
            Can be pickled, as can what it takes and gives. What it raises is raised here.
        """
        if not self.processes:
            yield from ((item, work(item)) for item in items)
            return
        waiting = iter(items)
        # A list, that what was handed out is known when a process dies.
        out: deque[tuple[_Item, Future[_Found]]] = deque()
        while True:
            for item in islice(waiting, _AHEAD * self.processes - len(out)):
                out.append((item, self._submit(work, item)))
            if not out:
                return
            item, future = out.popleft()
            try:
                yield item, self._awaited(future)
            except (BrokenProcessPool, WorkerHung) as error:
                suspects = [other for other, _ in out]
                out.clear()
                if isinstance(error, WorkerHung):
                    yield item, error
                else:
                    suspects = [item, *suspects]
                yield from ((suspect, self._alone(work, suspect)) for suspect in suspects)

    def _alone(self, work: Callable[[_Item], _Found], item: _Item) -> _Found | WorkerDied:
        """Do one piece of work with nothing beside it, so that a death has one cause."""
        try:
            return self._awaited(self._submit(work, item))
        except BrokenProcessPool:
            return WorkerDied()
        except WorkerHung as hung:
            return hung

    def _awaited(self, future: "Future[_Found]") -> _Found:
        """Return what comes of the oldest work, which some process is at."""
        wait_for([future], self.patience_seconds)
        if not future.done():
            self._kill()
            raise WorkerHung
        return future.result()

    def _kill(self) -> None:
        with self._starting:
            executor, self._executor = self._executor, None
        if executor is not None:
            kill_processes(executor)

    def _submit(self, work: Callable[[_Item], _Found], item: _Item) -> "Future[_Found]":
        with self._starting:
            try:
                return self._running().submit(work, item)
            except BrokenProcessPool:
                self.close()
                return self._running().submit(work, item)

    def _running(self) -> ProcessPoolExecutor:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self.processes,
                get_context("spawn"),
                initializer=_begin,
                initargs=(self._niceness, self._role),
            )
        return self._executor


def _begin(niceness: int, role: str) -> None:
    # Not to standard output, which belongs to whoever started this.
    configure_logs("warning", role)
    # Ctrl-C at a terminal reaches every process; only the first one decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(niceness)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Die with whoever started this, however that ended: nobody is left to take the results."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
