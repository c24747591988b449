"""PostgreSQL crashes and comes back while devices store: they are told, and nothing is lost."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlmodel import select

from arcuate.waiting import wait_until
from core.database import Database
from core.migrations.schema import migrate
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow
from dicom_node.statuses import Status
from dicom_node.storage.part10 import EncodedInstance
from tests.builders.encoded_instance import encode_instance
from tests.conftest import miss
from tests.fixtures.dicom_server import Node, running_node
from tests.fixtures.postgres import OwnServer, own_server
from tests.fixtures.raw_peer import Rejected, raw_peer

PEERS = 4
PATIENCE_SECONDS = 120.0
OUT_OF_RESOURCES = Status.OUT_OF_RESOURCES
#: Rejected for now, by the provider (presentation): temporary congestion (PS3.8 table 9-21).
CONGESTION = (2, 3, 1)


@pytest.fixture
def server() -> Iterator[OwnServer]:
    with own_server() as running:
        if running is None:
            miss("PostgreSQL")
        assert running is not None
        yield running


@pytest.fixture
def node(server: OwnServer, tmp_path: Path) -> Iterator[Node]:
    url = make_url(server.url).set(drivername="postgresql+psycopg")
    settings = Settings(
        home=tmp_path / "home",
        database_url=url.render_as_string(hide_password=False),
        dicom_port=0,
        http_port=0,
        auth="none",
    )
    database = Database(settings.database)
    migrate(database)
    with running_node(settings, database) as running:
        yield running
    database.close()


def make_instance(number: int) -> EncodedInstance:
    study = f"1.2.3.{number % 6 + 1}"
    return encode_instance(
        PatientID=f"P{number % 6}",
        StudyInstanceUID=study,
        SeriesInstanceUID=f"{study}.1",
        SOPInstanceUID=f"{study}.1.{number}",
        PixelData=number.to_bytes(4, "big") * 5000,
    )


@dataclass
class Push:
    """Devices that store one object after the other until told to stop, refused ones again."""

    port: int
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    enough: threading.Event = field(default_factory=threading.Event)
    acknowledged: dict[str, str] = field(default_factory=dict)
    refusals: list[int] = field(default_factory=list)
    rejections: list[tuple[int, ...]] = field(default_factory=list)

    def run(self, _peer: int) -> None:
        encoded = make_instance(next(self.numbers))
        while not self.enough.is_set():
            try:
                with raw_peer(self.port) as peer:
                    peer.associate()
                    # A few on each association: one that was stored on before, and new ones.
                    for _ in range(8):
                        if self._store(peer.store(encoded), encoded):
                            encoded = make_instance(next(self.numbers))
                    peer.release()
            except Rejected as rejection:
                self.rejections.append(rejection.args)

    def _store(self, status: int, encoded: EncodedInstance) -> bool:
        if status == Status.SUCCESS:
            self.acknowledged[encoded.sop_instance_uid] = sha256(encoded.data_set).hexdigest()
            return True
        self.refusals.append(status)
        return False

    def wait_for_more(self, stores: int) -> bool:
        """Wait until that many more are acknowledged."""
        target = len(self.acknowledged) + stores
        return wait_until(lambda: len(self.acknowledged) >= target, PATIENCE_SECONDS)


@pytest.mark.parametrize(
    ("outages", "stores"),
    [(1, 10), pytest.param(12, 100, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])],
)
def test_stores_are_refused_while_postgresql_is_down_and_taken_when_it_is_back(
    node: Node, server: OwnServer, outages: int, stores: int
) -> None:
    push, chance = Push(node.port), random.Random(3)  # noqa: S311 - repeatable
    with ThreadPoolExecutor(PEERS) as peers:
        running = [peers.submit(push.run, number) for number in range(PEERS)]
        try:
            for _ in range(outages):
                assert push.wait_for_more(stores)
                threading.Event().wait(chance.uniform(0, 0.1))
                with raw_peer(node.port) as held:
                    held.associate()
                    told = len(push.rejections)
                    server.stop()
                    status = held.store(make_instance(next(push.numbers)))
                    assert status == OUT_OF_RESOURCES
                    push.refusals.append(status)
                assert_nobody_is_recognised(node)
                # Whether one of the others stored just then, and was refused, too, is chance.
                assert wait_until(lambda t=told: has_rejected(push, t), PATIENCE_SECONDS)
                server.start()
            assert push.wait_for_more(stores)
        finally:
            push.enough.set()
        for peer in running:
            peer.result(PATIENCE_SECONDS)

    assert set(push.refusals) == {OUT_OF_RESOURCES}
    assert set(push.rejections) == {CONGESTION}
    assert_kept(node, push.acknowledged)
    print(f"\n{outages} outages, {len(push.acknowledged)} acknowledged")  # noqa: T201 - figures


def has_rejected(push: Push, before: int) -> bool:
    """Whether somebody was rejected since then."""
    return len(push.rejections) > before


def assert_nobody_is_recognised(node: Node) -> None:
    with raw_peer(node.port) as late, pytest.raises(Rejected) as rejected:
        late.associate()
    assert rejected.value.args == CONGESTION


def assert_kept(node: Node, acknowledged: dict[str, str]) -> None:
    with node.database.reading() as session:
        rows = {row.sop_instance_uid: row for row in session.exec(select(InstanceRow)).all()}
        jobs = sorted(int(subject) for subject in session.exec(select(JobRow.subject)).all())
    assert {uid: rows[uid].digest for uid in acknowledged} == acknowledged
    assert jobs == sorted(row.id or 0 for row in rows.values())
    for row in rows.values():
        kept = node.archive.storage.read(row.storage_key)[-row.size_bytes :]
        assert sha256(kept).hexdigest() == row.digest
    assert not list((node.archive.storage.root / ".unfinished").iterdir())
