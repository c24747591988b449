"""Every process of a node is killed at random moments while devices store, again and again.

Always run are `test_store_killed.py` (the receiver) and `test_node.py` (the worker).
"""

import random
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest
from pydicom.uid import ExplicitVRLittleEndian
from sqlmodel import col, func, select

from arcuate.bench.ports import free_port
from arcuate.node import prepare_node
from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from core.tables.changes import ChangeRow
from core.tables.instances import InstanceOrigin, InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from dicom_node.peers import add_peer
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY, RAW_DATA
from dicom_node.storage.bytes import Storage
from dicom_node.storage.part10 import EncodedInstance
from reports.register import DEFAULT_FORMATS
from tests.builders.encoded_instance import encode_dataset, encode_instance
from tests.builders.opt import build_circle_opt
from tests.fixtures.dicom_server import DEVICE
from tests.fixtures.node_process import NodeProcess
from tests.fixtures.raw_peer import RawPeer, Rejected, raw_peer

ASSOCIATIONS = 4
PATIENCE_SECONDS = 900.0
#: Stores that may go on while somebody is being killed.
AHEAD = 30
CONTEXTS = {
    1: (OPHTHALMIC_TOMOGRAPHY, str(ExplicitVRLittleEndian)),
    3: (RAW_DATA, str(ExplicitVRLittleEndian)),
}
#: Stores that are scored: every tenth is an OCT too small for it, every hundredth a good one.
_SCORED, _GOOD = 10, 100
WHOLE_NODE, SUPERVISOR = "all", "supervisor"
ROLES = ("receive", "infer", "deliver", "serve")


@dataclass(frozen=True)
class Ordeal:
    """How much is stored, and what is killed each time the node has run a while."""

    stores: int
    seed: int
    #: Each time the node is started: which are killed one by one; the last ends it.
    rounds: tuple[tuple[str, ...], ...]


FULL = Ordeal(
    stores=2000,
    seed=20240320,
    rounds=tuple(
        (first, second, last)
        for last in (WHOLE_NODE, SUPERVISOR)
        for first, second in (
            ("receive", "infer"),
            ("receive", "deliver"),
            ("infer", "receive"),
            ("deliver", "serve"),
        )
    ),
)


def make_instance(number: int) -> EncodedInstance:
    """Return an object nobody scores, an OCT too small for it, or a good circle scan."""
    study = f"1.2.3.{number // 50 + 1}"
    uid = f"{study}.1.{number}"
    if number % _GOOD == _GOOD // 2:
        circle = build_circle_opt(SOPInstanceUID=uid)
        return EncodedInstance(
            data_set=encode_dataset(circle),
            transfer_syntax_uid=str(ExplicitVRLittleEndian),
            sop_class_uid=OPHTHALMIC_TOMOGRAPHY,
            sop_instance_uid=uid,
        )
    return encode_instance(
        SOPClassUID=OPHTHALMIC_TOMOGRAPHY if number % _SCORED == 0 else RAW_DATA,
        PatientID=f"P{number // 50}",
        StudyInstanceUID=study,
        SeriesInstanceUID=f"{study}.1",
        SOPInstanceUID=uid,
        PixelData=number.to_bytes(4, "big") * 10_000,
    )


@dataclass
class Push:
    """Devices that store everything, each object again until it is acknowledged."""

    port: int
    total: int
    #: How many may be acknowledged for now: so that something is stored at each kill.
    limit: int = 0
    is_given_up: bool = False
    waiting: SimpleQueue[int] = field(default_factory=SimpleQueue)
    acknowledged: dict[str, str] = field(default_factory=dict)
    statuses: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        for number in range(self.total):
            self.waiting.put(number)

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._send) for _ in range(ASSOCIATIONS)]
        for thread in threads:
            thread.start()
        try:
            yield
        except BaseException:
            self.is_given_up = True
            raise
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()

    def _send(self) -> None:
        while len(self.acknowledged) < self.total and not self.is_given_up:
            try:
                with raw_peer(self.port) as peer:
                    peer.associate(DEVICE, contexts=CONTEXTS)
                    while True:
                        wait_until(self._may_go_on, PATIENCE_SECONDS)
                        self._store_next(peer)
            except (ConnectionError, TimeoutError, Rejected):
                # The node is dead, or just coming up.
                threading.Event().wait(0.1)
            except Empty:
                return

    def _may_go_on(self) -> bool:
        done = len(self.acknowledged)
        return done < self.limit or done == self.total

    def _store_next(self, peer: RawPeer) -> None:
        number = self.waiting.get_nowait()
        encoded = make_instance(number)
        context = 3 if encoded.sop_class_uid == RAW_DATA else 1
        status = None
        try:
            status = peer.store(encoded, number % 65_536, context)
        finally:
            if status != 0:
                self.waiting.put(number)
        self.statuses.add(status)
        if status == 0:
            self.acknowledged[encoded.sop_instance_uid] = sha256(encoded.data_set).hexdigest()


def received(database: Database) -> dict[str, InstanceRow]:
    with database.reading() as session:
        rows = session.exec(
            select(InstanceRow).where(col(InstanceRow.origin) == InstanceOrigin.RECEIVED)
        ).all()
    return {row.sop_instance_uid: row for row in rows}


def assert_kept(database: Database, storage: Storage, acknowledged: dict[str, str]) -> None:
    """Every acknowledged object is there byte for byte, and every file is what its name says."""
    rows = received(database)
    assert {uid: rows[uid].digest for uid in acknowledged} == acknowledged
    files = {path.stem: path for path in storage.root.rglob("*.dcm")}
    assert {row.digest for row in rows.values()} <= set(files)
    for row in rows.values():
        kept = files[row.digest].read_bytes()[-row.size_bytes :]
        assert sha256(kept).hexdigest() == row.digest


def assert_one_result_each(database: Database, total: int) -> None:
    with database.reading() as session:
        jobs = session.exec(select(JobRow)).all()
        predictions = session.exec(select(PredictionRow)).all()
        reports = session.exec(
            select(ReportRow.prediction_id, func.count()).group_by(col(ReportRow.prediction_id))
        ).all()
        produced = session.exec(
            select(func.count())
            .select_from(InstanceRow)
            .where(col(InstanceRow.origin) == InstanceOrigin.PRODUCED)
        ).one()
        numbers = session.exec(select(ChangeRow.number).order_by(col(ChangeRow.number))).all()
    scored = total // _SCORED + sum(n % _GOOD == _GOOD // 2 for n in range(total))
    scored -= sum(n % _SCORED == 0 and n % _GOOD == _GOOD // 2 for n in range(total))
    assert sum(job.kind == JobKind.ANALYSE for job in jobs) == scored
    assert len({row.instance_key for row in predictions}) == len(predictions) == scored
    assert {job.status for job in jobs} == {JobStatus.DONE}
    assert len(reports) == sum(job.kind == JobKind.REPORT for job in jobs)
    assert {count for _, count in reports} == {len(DEFAULT_FORMATS)}
    assert produced == len(DEFAULT_FORMATS) * len(reports)
    assert list(numbers) == list(range(1, len(numbers) + 1))


def run(ordeal: Ordeal, settings: Settings, folder: Path) -> None:
    node_of_test = prepare_node(settings)
    database, storage = node_of_test.database, node_of_test.storage
    with database.transaction() as session:
        add_peer(session, DEVICE, "127.0.0.1")
    chance = random.Random(ordeal.seed)  # noqa: S311 - repeatable
    node, push = NodeProcess(settings, folder / "log"), Push(settings.dicom_port, ordeal.stores)
    print(f"\nseed {ordeal.seed}, {ordeal.stores} stores, {len(ordeal.rounds)} rounds")  # noqa: T201
    try:
        node.start()
        with push.running():
            for victim, count in moments(ordeal, chance):
                push.limit = min(count + AHEAD, ordeal.stores)
                assert wait_until(lambda c=count: len(push.acknowledged) >= c, PATIENCE_SECONDS)
                threading.Event().wait(chance.uniform(0, 0.3))
                print(f"{len(push.acknowledged)} acknowledged: {victim} killed")  # noqa: T201
                kill(node, victim, database, storage, push)
            push.limit = ordeal.stores
        assert_kept(database, storage, push.acknowledged)
        done = wait_until(lambda: is_done(database), PATIENCE_SECONDS)
        assert done, (folder / "log").read_text()[-3000:]
    finally:
        node.stop()
    assert push.statuses <= {0, 0xA700}
    assert len(push.acknowledged) == ordeal.stores
    assert_one_result_each(database, ordeal.stores)
    assert not list((storage.root / ".unfinished").iterdir())
    database.close()


def moments(ordeal: Ordeal, chance: random.Random) -> Iterable[tuple[str, int]]:
    """Yield whom to kill, and after how many stores."""
    victims = [victim for victims in ordeal.rounds for victim in victims]
    counts = sorted(chance.randrange(ordeal.stores // 50, ordeal.stores - AHEAD) for _ in victims)
    return zip(victims, counts, strict=True)


def kill(node: NodeProcess, victim: str, database: Database, storage: Storage, push: Push) -> None:
    if victim in ROLES:
        node.kill_role(victim)
        return
    if victim == SUPERVISOR:
        node.kill_supervisor()
    else:
        node.kill_all()
    assert_kept(database, storage, dict(push.acknowledged))
    node.start()


def is_done(database: Database) -> bool:
    unfinished = col(JobRow.status).not_in([JobStatus.DONE, JobStatus.FAILED])
    with database.reading() as session:
        return not session.exec(select(JobRow.id).where(unfinished)).first()


@pytest.fixture
def killed_settings(settings: Settings) -> Settings:
    """Leases that end soon, and attempts enough: each kill costs one."""
    changes = {
        "dicom_port": free_port(),
        "http_port": free_port(),
        "lease_seconds": 5.0,
        "maximum_attempts": 1000,
        "log_level": "warning",
        "home": settings.home.resolve(),
    }
    return settings.model_copy(update=changes)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_is_lost_or_done_twice_in_two_thousand_stores_and_many_kills(
    killed_settings: Settings, tmp_path: Path
) -> None:
    run(FULL, killed_settings, tmp_path)
