"""As many peers as a region has, at once and one after the other: all arrive, nothing grows."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest
from sqlmodel import select

from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from dicom_node.peers import add_peer
from dicom_node.storage.bytes import Storage
from dicom_node.storage.part10 import EncodedInstance
from tests.builders.encoded_instance import encode_instance
from tests.fixtures.dicom_server import DEVICE
from tests.fixtures.raw_peer import RawPeer, Rejected, raw_peer

PEERS = 200
PLACES = 20
#: Threads that sync folders, kept once they were needed.
#: Main, listener, waiting room, both counters of callers and associations; then the two pools.
LASTING_THREADS = 6
POOL_THREADS = 8 + 8
#: Rejected for now, by the provider (presentation): local limit exceeded (PS3.8 table 9-21).
LIMIT_EXCEEDED = (2, 3, 2)
PATIENCE_SECONDS = 120.0
MIB = 1 << 20
#: How much the memory of a process may differ from one look to the next.
_NOISE_MIB = 6
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_BOTH = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)


@dataclass(frozen=True)
class Receiver:
    """A receiver in a process of its own."""

    process: subprocess.Popen[str]
    port: int

    def footprint(self) -> "Footprint":
        folder = Path(f"/proc/{self.process.pid}")
        pages = int((folder / "statm").read_text().split()[1])
        return Footprint(
            memory_mib=pages * os.sysconf("SC_PAGE_SIZE") / MIB,
            descriptors=sum(not is_of_the_pool(link) for link in (folder / "fd").iterdir()),
            threads=len(list((folder / "task").iterdir())),
        )

    def peak_mib(self) -> float:
        """Return the most memory it ever held."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text("ascii").splitlines()
        [peak] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        return int(peak) / 1024


@dataclass(frozen=True)
class Footprint:
    """What a process holds; `memory_mib` is its resident set.

    Of the descriptors, those of the pooled connections to the database are left out: how many of
    these have been needed at once is chance.
    """

    memory_mib: float
    descriptors: int
    threads: int


def is_of_the_pool(descriptor: Path) -> bool:
    try:
        return descriptor.readlink().name.startswith("arcuate.db")
    except FileNotFoundError:
        # Closed since it was listed, as any could be.
        return False


@contextmanager
def receiver(settings: Settings, database: Database) -> Generator[Receiver]:
    with database.transaction() as session:
        add_peer(session, DEVICE, "127.0.0.1")
    command = [sys.executable, "-m", "tests.fixtures.receiver", settings.model_dump_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Receiver(process, int(process.stdout.readline()))
        finally:
            process.kill()


def instance(number: int, size_bytes: int = 30_000) -> EncodedInstance:
    return encode_instance(
        PatientID=f"P{number % 7}",
        StudyInstanceUID=f"1.2.3.{number % 7 + 1}",
        SeriesInstanceUID=f"1.2.3.{number % 7 + 1}.1",
        SOPInstanceUID=f"1.2.3.{number % 7 + 1}.1.{number}",
        PixelData=number.to_bytes(4, "big") * (size_bytes // 4),
    )


@dataclass
class Crowd:
    """Peers that call at once; who has come in waits until somebody was told to come again."""

    port: int
    somebody_rejected: threading.Event = field(default_factory=threading.Event)
    rejections: list[tuple[int, ...]] = field(default_factory=list)

    def send(self, encoded: EncodedInstance) -> int:
        """Come again until there is room; return the status of the store."""
        while True:
            with raw_peer(self.port) as peer:
                try:
                    peer.associate()
                except Rejected as rejection:
                    self.rejections.append(rejection.args)
                    self.somebody_rejected.set()
                    self.somebody_rejected.wait(0.05)
                    continue
                assert self.somebody_rejected.wait(PATIENCE_SECONDS)
                status = peer.store(encoded)
                peer.release()
                return status


@ON_BOTH
def test_two_hundred_peers_at_once_all_arrive(settings: Settings, database: Database) -> None:
    sent = [instance(number) for number in range(PEERS)]
    limited = settings.model_copy(update={"maximum_associations": PLACES})

    with receiver(limited, database) as running, ThreadPoolExecutor(PEERS) as peers:
        crowd = Crowd(running.port)
        statuses = list(peers.map(crowd.send, sent))

    assert statuses == [0] * PEERS
    assert set(crowd.rejections) == {LIMIT_EXCEEDED}
    assert kept_digests(settings, database) == {
        one.sop_instance_uid: sha256(one.data_set).hexdigest() for one in sent
    }


def kept_digests(settings: Settings, database: Database) -> dict[str, str]:
    """SHA-256 of what lies in the storage, by SOP Instance UID."""
    storage = Storage(settings.storage)
    with database.reading() as session:
        rows = session.exec(select(InstanceRow)).all()
    return {
        row.sop_instance_uid: sha256(storage.read(row.storage_key)[-row.size_bytes :]).hexdigest()
        for row in rows
    }


def store_alone(port: int, encoded: EncodedInstance) -> None:
    with raw_peer(port) as peer:
        peer.associate()
        assert peer.store(encoded) == 0
        peer.release()


@ON_SQLITE
@pytest.mark.parametrize(
    "associations", [300, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(3000)])]
)
def test_associations_leave_nothing_behind(
    settings: Settings, database: Database, associations: int
) -> None:
    fifth = associations // 5
    with receiver(settings, database) as running:
        # Pools and the database's caches fill at first, whatever comes.
        footprints = [running.footprint(), footprint_after(running, range(fifth))]
        grown_mib = []
        # What is lost is lost each time; how much a busy machine's threads take at once is chance.
        for start in range(fifth, 3 * associations, associations - fifth):
            footprints.append(footprint_after(running, range(start, start + associations - fifth)))
            grown_mib.append(footprints[-1].memory_mib - footprints[-2].memory_mib)
            if grown_mib[-1] < _NOISE_MIB:
                break
        filled = footprints[1].descriptors
        assert wait_until(lambda: running.footprint().descriptors <= filled, PATIENCE_SECONDS)
    print(f"\n{associations} associations, first, after a fifth, and on: {footprints}")  # noqa: T201 - figures
    assert grown_mib[-1] < _NOISE_MIB


def footprint_after(running: Receiver, numbers: range) -> Footprint:
    """Store objects and return what the process holds when it is at rest again."""
    store_all(running.port, numbers)
    assert wait_until(lambda: is_at_rest(running), PATIENCE_SECONDS)
    return running.footprint()


def store_all(port: int, numbers: range) -> None:
    """Store each object over an association of its own, four at a time."""
    with ThreadPoolExecutor(4) as peers:
        list(peers.map(lambda n: store_alone(port, instance(n, size_bytes=4000)), numbers))


def is_at_rest(running: Receiver) -> bool:
    """Whether the threads of past associations have ended."""
    return running.footprint().threads <= LASTING_THREADS + POOL_THREADS


@ON_SQLITE
def test_a_thousand_idle_connections_and_a_port_scan_stop_nobody(
    settings: Settings, database: Database
) -> None:
    with receiver(settings, database) as running, ExitStack() as idle:
        store_alone(running.port, instance(1))
        for number in range(1000):
            connection = socket.create_connection(("127.0.0.1", running.port), timeout=20)
            idle.enter_context(connection)
            if number % 2:
                connection.sendall(b"\x01\x00\x00")
        for _ in range(200):
            scan(running.port)
        for number in range(2, 8):
            store_alone(running.port, instance(number))

        descriptors = running.footprint().descriptors
    # 256 of them wait, the others were shown out.
    assert descriptors < 256 + 50
    assert len(kept_digests(settings, database)) == 7


def scan(port: int) -> None:
    """Connect and break off, as a port scan does."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    RawPeer(connection).reset()


@ON_SQLITE
@pytest.mark.parametrize("size_bytes", [6 * MIB, pytest.param(58 * MIB, marks=[pytest.mark.slow])])
def test_a_receiver_holds_no_object_in_memory(
    settings: Settings, database: Database, size_bytes: int
) -> None:
    with receiver(settings, database) as running, ExitStack() as connections:
        store_alone(running.port, instance(0))
        peers = [connections.enter_context(raw_peer(running.port)) for _ in range(8)]
        objects = [instance(number, size_bytes) for number in range(1, 9)]
        for peer in peers:
            peer.associate()
        with ThreadPoolExecutor(len(peers)) as sending:
            statuses = list(sending.map(RawPeer.store, peers, objects))
        for peer in peers:
            peer.release()
        peak_mib = running.peak_mib()

    assert statuses == [0] * 8
    print(f"\neight objects of {size_bytes >> 20} MiB: {peak_mib:.0f} MiB at most")  # noqa: T201
    assert peak_mib * MIB < 150e6
