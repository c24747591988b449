"""The power fails at any moment: what was answered Success is there, and the node starts on it."""

import os
import random
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from sqlmodel import select

from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow
from dicom_node.peers import add_peer
from dicom_node.storage.part10 import EncodedInstance
from tests.builders.encoded_instance import encode_instance
from tests.fixtures.dicom_server import DEVICE, Node, running_node
from tests.fixtures.power_cut import Disk
from tests.fixtures.processes import children_of
from tests.fixtures.raw_peer import raw_peer
from tests.fixtures.recorded_calls import Moment, read_calls, strace_command

ASSOCIATIONS = 4
#: With which probability what is not durable yet has reached the disk.
KEPT = (0.0, 0.5, 0.9)
#: A C-STORE-RSP whose status is Success, up to the value of Affected SOP Instance UID's length.
SUCCESS = struct.pack("<HHIH", 0, 0x0900, 2, 0) + struct.pack("<HH", 0, 0x1000)
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def make_objects(count: int) -> list[EncodedInstance]:
    """Return new objects of several patients, some twice, some that are kept aside."""
    made = [
        encode_instance(
            PatientID=f"P{number % 5}" if number % 9 else "",
            StudyInstanceUID=f"1.2.3.{number % 5 + 1}",
            SeriesInstanceUID=f"1.2.3.{number % 5 + 1}.1",
            SOPInstanceUID=f"1.2.3.{number % 5 + 1}.1.{number}",
            PixelData=number.to_bytes(4, "big") * 5000,
        )
        for number in range(1, count + 1)
    ]
    return made + made[:: count // 4]


@pytest.fixture
def home(settings: Settings, database: Database, need: Callable[[str], None]) -> Path:
    """A folder with everything a node keeps, its database too."""
    need("strace")
    with database.transaction() as session:
        add_peer(session, DEVICE, "127.0.0.1")
    database.close()
    settings.home.mkdir()
    shutil.copyfile(str(database.url.database), settings.home / "arcuate.db")
    return settings.home.resolve()


def settings_in(home: Path) -> Settings:
    return Settings(home=home, dicom_port=0, http_port=0, auth="none", minimum_free_mib=0)


def record(home: Path, log: Path, objects: Sequence[EncodedInstance], *options: str) -> None:
    """Store objects over several associations into a receiver that is recorded."""
    program = [sys.executable, "-m", "tests.fixtures.receiver"]
    words = [settings_in(home).model_dump_json(), *options]
    with subprocess.Popen(
        [*strace_command(log), *program, *words], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())

        def send(share: Sequence[EncodedInstance]) -> None:
            with raw_peer(port) as peer:
                peer.associate()
                for one in share:
                    peer.store(one)
                peer.release()

        try:
            with ThreadPoolExecutor(ASSOCIATIONS) as peers:
                list(peers.map(send, [objects[n::ASSOCIATIONS] for n in range(ASSOCIATIONS)]))
        finally:
            for child in children_of(process.pid):
                os.kill(child, signal.SIGKILL)


def acknowledged_by(moment: Moment) -> Iterator[str]:
    """Yield the UIDs answered Success; what is being sent counts as said."""
    if moment.is_return or moment.call.name not in {"sendto", "write", "sendmsg"}:
        return
    for content in moment.call.texts:
        if (place := content.find(SUCCESS)) >= 0:
            start = place + len(SUCCESS)
            (length,) = struct.unpack_from("<I", content, start)
            yield content[start + 4 : start + 4 + length].rstrip(b"\0").decode()


def cuts(moments: Sequence[Moment], number: int, chance: random.Random) -> list[int]:
    """Choose moments: half of them just when a Success goes out, the others any."""
    successes = [n for n, moment in enumerate(moments) if list(acknowledged_by(moment))]
    chosen = chance.sample(successes, min(number // 2, len(successes)))
    others = [chance.randrange(len(moments)) for _ in range(number - len(chosen))]
    return sorted([*chosen, *others, len(moments) - 1])


def remains(
    disk: Disk, moments: Sequence[Moment], at: Sequence[int], folder: Path, chance: random.Random
) -> Iterator[tuple[Path, list[str]]]:
    """Yield for each moment the folder that is left, and what was acknowledged before."""
    acknowledged: list[str] = []
    for number, moment in enumerate(moments):
        acknowledged += acknowledged_by(moment)
        disk.follow(moment)
        for turn in range(at.count(number)):
            target = folder / f"{number}-{turn}"
            disk.cut(target, chance, KEPT[(number + turn) % len(KEPT)])
            yield target, list(acknowledged)
            shutil.rmtree(target, ignore_errors=True)


def missing_of(node: Node, acknowledged: Sequence[str], sent: dict[str, str]) -> list[str]:
    """Return which acknowledged objects are not there, whole, with their row and job."""
    with node.database.reading() as session:
        rows = {row.sop_instance_uid: row for row in session.exec(select(InstanceRow)).all()}
        subjects = set(session.exec(select(JobRow.subject)).all())
    return [
        uid
        for uid in acknowledged
        if uid not in rows or not is_whole(node, rows[uid], sent[uid], subjects)
    ]


def is_whole(node: Node, row: InstanceRow, digest: str, subjects: set[str]) -> bool:
    if not node.archive.storage.exists(row.storage_key) or str(row.id) not in subjects:
        return False
    kept = node.archive.storage.read(row.storage_key)[-row.size_bytes :]
    return sha256(kept).hexdigest() == row.digest == digest


def store_everything(node: Node, objects: Sequence[EncodedInstance]) -> list[int]:
    with raw_peer(node.port) as peer:
        peer.associate()
        statuses = [peer.store(one) for one in objects]
        peer.release()
    return statuses


@ON_SQLITE
@pytest.mark.parametrize(
    ("count", "number_of_cuts"),
    [(16, 8), pytest.param(120, 150, marks=[pytest.mark.slow, pytest.mark.timeout(3000)])],
)
def test_what_was_acknowledged_survives_a_power_cut_at_any_moment(
    home: Path, tmp_path: Path, count: int, number_of_cuts: int
) -> None:
    objects, chance = make_objects(count), random.Random(7)  # noqa: S311 - repeatable
    sent = {one.sop_instance_uid: sha256(one.data_set).hexdigest() for one in objects}
    disk, log = Disk(home), tmp_path / "calls"
    (tmp_path / "left").mkdir()
    record(home, log, objects)
    moments = list(read_calls(log))
    at, tried = cuts(moments, number_of_cuts, chance), 0

    for left, acknowledged in remains(disk, moments, at, tmp_path / "left", chance):
        database = Database(settings_in(left).database)
        with running_node(settings_in(left), database) as node:
            assert missing_of(node, acknowledged, sent) == [], f"cut at {left.name}"
            assert set(store_everything(node, objects)) == {0, 0xC000}
            assert missing_of(node, [u for u in sent if u in acknowledged], sent) == []
        database.close()
        tried += 1

    print(f"\n{tried} power cuts among {len(moments)} moments of {len(objects)} stores")  # noqa: T201
    assert len(set(acknowledged)) == sum(1 for n in range(1, count + 1) if n % 9)


@ON_SQLITE
def test_a_receiver_that_syncs_nothing_would_be_found_out(home: Path, tmp_path: Path) -> None:
    objects, chance = make_objects(8), random.Random(7)  # noqa: S311 - repeatable
    sent = {one.sop_instance_uid: sha256(one.data_set).hexdigest() for one in objects}
    disk, log = Disk(home), tmp_path / "calls"
    (tmp_path / "left").mkdir()
    record(home, log, objects, "--without-sync")
    moments = list(read_calls(log))
    last = len(moments) - 1 - (len(moments) - 1) % len(KEPT)

    [(left, acknowledged)] = [
        (left.rename(tmp_path / "kept"), said)
        for left, said in remains(disk, moments, [last], tmp_path / "left", chance)
        if left.exists()
    ]

    database = Database(settings_in(left).database)
    with running_node(settings_in(left), database) as node:
        assert set(missing_of(node, acknowledged, sent)) == set(acknowledged) != set()
    database.close()
