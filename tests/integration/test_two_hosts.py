"""Workers on two hosts with one PostgreSQL: one is killed, one is cut off from the network."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest
from sqlmodel import col, func, select

from arcuate.waiting import wait_until
from core import ledger
from core.tables.changes import ChangeKind, ChangeRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.predictions import PredictionRow
from inference.analysis import GROUP_SIZE
from tests.builders.opt import build_circle_opt
from tests.builders.received import open_test_archive, receive
from tests.fixtures.hosts import Host
from tests.fixtures.shared_node import PYTHON, SharedNode, shared_node

_LEASE_SECONDS = 2.0
_PATIENCE_SECONDS = 400.0
#: Measured over that many groups of each worker.
_GROUPS = 2
_UNDONE = select(func.count()).where(
    col(JobRow.status) != JobStatus.DONE, col(JobRow.kind) == JobKind.ANALYSE
)


@pytest.fixture
def shared() -> Iterator[SharedNode]:
    with shared_node(hosts=2) as running:
        yield running


def _hold(shared: SharedNode, host: Host) -> Path:
    return shared.log.with_name(f"{host.name}.hold")


def _start(shared: SharedNode, host: Host) -> Popen[bytes]:
    words = ("-m", "tests.fixtures.held_worker", str(_hold(shared, host)))
    return shared.start(host, PYTHON, *words, lease_seconds=_LEASE_SECONDS)


def _add(shared: SharedNode, *subjects: str) -> None:
    with shared.node.database.transaction() as session:
        for subject in subjects:
            ledger.enqueue(session, JobKind.ANALYSE, subject)


def _holders(shared: SharedNode) -> set[int]:
    """Return the process ids of the workers that hold a job."""
    with shared.node.database.reading() as session:
        running = select(JobRow.worker).where(JobRow.status == JobStatus.RUNNING)
        return {_process_id(str(worker)) for worker in session.exec(running).all()}


def _process_id(worker: str) -> int:
    return int(worker.rsplit("-", 2)[1])


def _is_held_by(shared: SharedNode, process: Popen[bytes]) -> bool:
    return wait_until(lambda: process.pid in _holders(shared), _PATIENCE_SECONDS)


def _all_done(shared: SharedNode) -> bool:
    def done() -> bool:
        with shared.node.database.reading() as session:
            return session.exec(_UNDONE).one() == 0

    return wait_until(done, _PATIENCE_SECONDS)


def _results(shared: SharedNode) -> Counter[str]:
    with shared.node.database.reading() as session:
        kind = ChangeRow.kind == ChangeKind.PREDICTION_RECORDED
        return Counter(session.exec(select(ChangeRow.subject).where(kind)).all())


def test_jobs_of_a_killed_and_of_a_cut_off_host_are_done_once_by_the_other(
    shared: SharedNode,
) -> None:
    first, second = shared.hosts
    # The first dies in the middle of its jobs; the second one comes, and does them.
    _hold(shared, first).touch()
    killed = _start(shared, first)
    _add(shared, "a", "b")
    assert _is_held_by(shared, killed), shared.log.read_text()
    killed.kill()
    other = _start(shared, second)
    assert _all_done(shared), shared.log.read_text()

    # The second is cut off in the middle of its jobs; a new one on the first host does them.
    _hold(shared, second).touch()
    _add(shared, "c", "d")
    assert _is_held_by(shared, other), shared.log.read_text()
    second.cut_off()
    _hold(shared, first).unlink()
    _start(shared, first)
    assert _all_done(shared), shared.log.read_text()

    # Back on the network it brings its results too late, and goes on with what is next.
    _hold(shared, second).unlink()
    second.reconnect()
    said_so = wait_until(lambda: "lease_lost" in shared.log.read_text(), _PATIENCE_SECONDS)
    assert said_so, shared.log.read_text()
    _add(shared, "e")
    assert _all_done(shared), shared.log.read_text()
    assert _results(shared) == Counter("abcde")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_scans_of_killed_and_cut_off_workers_have_one_result_each(shared: SharedNode) -> None:
    """Each host has one processor of its own; what two do in the time of one is printed."""
    scans = Scans(shared)
    first, second = shared.hosts
    alone = _infer(shared, first, processor=0)
    one = scans.rate(alone)
    together = _infer(shared, second, processor=1)
    two = scans.rate(alone, together)
    print(f"\none worker {one:.2f} scans/s, two {two:.2f}: {two / one:.2f} times")  # noqa: T201

    scans.take_in(2 * GROUP_SIZE)
    assert _is_held_by(shared, alone), shared.log.read_text()
    alone.kill()
    scans.take_in(2 * GROUP_SIZE)
    assert _is_held_by(shared, together), shared.log.read_text()
    second.cut_off()
    _infer(shared, first, processor=0)
    assert _all_done(shared), shared.log.read_text()
    second.reconnect()
    scans.take_in(2 * GROUP_SIZE)
    assert _all_done(shared), shared.log.read_text()

    with shared.node.database.reading() as session:
        scored = session.exec(select(PredictionRow.instance_key)).all()
        analysed = select(JobRow.attempts).where(JobRow.kind == JobKind.ANALYSE)
        attempts = session.exec(analysed).all()
    print(f"{sum(n > 1 for n in attempts)} of {len(attempts)} begun again")  # noqa: T201
    assert sorted(scored) == sorted(scans.keys)


def _infer(shared: SharedNode, host: Host, processor: int) -> Popen[bytes]:
    pinned = ("taskset", "--cpu-list", str(processor), PYTHON)
    return shared.start(host, *pinned, "-m", "arcuate", "infer", lease_seconds=60)


class Scans:
    """Good scans that come to a node, all alike but for their names."""

    def __init__(self, shared: SharedNode) -> None:
        node = shared.node
        self._database = node.database
        self._archive = open_test_archive(node.settings, node.database)
        self._scan = build_circle_opt()
        self.keys: list[int] = []

    def take_in(self, count: int) -> None:
        for _ in range(count):
            self._scan.SOPInstanceUID = f"2.25.{len(self.keys) + 1}"
            self.keys.append(receive(self._archive, self._scan))

    def rate(self, *workers: Popen[bytes]) -> float:
        """Return how many a second are scored while each worker has its model and enough to do."""
        while not {worker.pid for worker in workers} <= self._done_by():
            if self._waiting() < 2 * GROUP_SIZE:
                self.take_in(GROUP_SIZE)
        self.take_in(_GROUPS * len(workers) * GROUP_SIZE)
        before, begun = self._waiting(), time.monotonic()
        assert wait_until(lambda: self._waiting() < len(workers) * GROUP_SIZE, _PATIENCE_SECONDS)
        return (before - self._waiting()) / (time.monotonic() - begun)

    def _done_by(self) -> set[int]:
        with self._database.reading() as session:
            done = select(JobRow.worker).where(JobRow.status == JobStatus.DONE).distinct()
            return {_process_id(str(worker)) for worker in session.exec(done).all()}

    def _waiting(self) -> int:
        with self._database.reading() as session:
            return session.exec(_UNDONE).one()
