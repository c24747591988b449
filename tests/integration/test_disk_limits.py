"""A disk that has no room, no inodes, or may not be written: refused, and taken up again."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from sqlmodel import select

from core import ledger
from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from dicom_node.scu.store import SendResult, send
from dicom_node.statuses import Status
from dicom_node.storage.retrieve import read_instance
from inference.analysis import AnalyseStep
from inference.preview import keep_pictures
from inference.scorers import FixedScorers, Scorers
from tests.builders.encoded_instance import as_file, encode_instance
from tests.conftest import miss
from tests.fixtures.dicom_server import DEVICE, Node, running_node
from tests.fixtures.small_disk import SmallDisk, small_disk

MIB = 1 << 20
DISK_MIB, WATERMARK_MIB, INODES = 8, 2, 300

Trouble = Callable[[SmallDisk], AbstractContextManager[None]]


@contextmanager
def read_only(disk: SmallDisk) -> Iterator[None]:
    disk.remount("ro")
    try:
        yield
    finally:
        disk.remount("rw")


@contextmanager
def below_the_watermark(disk: SmallDisk) -> Iterator[None]:
    with disk.filled(leave_bytes=WATERMARK_MIB * MIB - 4096):
        yield


@contextmanager
def out_of_inodes(disk: SmallDisk) -> Iterator[None]:
    with disk.without_inodes():
        yield


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", DISK_MIB * MIB, INODES) as mounted:
        if mounted is None:
            miss("the right to mount a disk of our own")
        yield mounted


@pytest.fixture
def node(settings: Settings, database: Database, disk: SmallDisk) -> Iterator[Node]:
    on_disk = {"storage_url": f"file://{disk.folder}", "minimum_free_mib": WATERMARK_MIB}
    with running_node(settings.model_copy(update=on_disk), database) as running:
        yield running


def store(node: Node, folder: Path, number: int, pixels: bytes = bytes(4)) -> SendResult:
    path = folder / f"{number}.dcm"
    uid = f"1.2.3.1.1.{number}"
    path.write_bytes(as_file(encode_instance(SOPInstanceUID=uid, PixelData=pixels)))
    [result] = send([path], node.address, DEVICE)
    return result


def is_readable(node: Node, number: int) -> bool:
    uid = f"1.2.3.1.1.{number}"
    with node.database.reading() as session:
        file = read_instance(session, node.archive.storage, uid)
    return bool(dcmread(BytesIO(file)).SOPInstanceUID == uid)


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        (below_the_watermark, "Below minimum_free_mib; free space on the disk"),
        (out_of_inodes, "Out of storage (ENOSPC); free space or inodes on the disk"),
        (read_only, "The storage does not answer (EROFS); check the disk"),
    ],
)
def test_a_store_is_refused_while_the_disk_is_in_trouble_and_taken_afterwards(
    node: Node, disk: SmallDisk, tmp_path: Path, trouble: Trouble, message: str
) -> None:
    before = store(node, tmp_path, 1)
    with trouble(disk):
        refused = [store(node, tmp_path, 2) for _ in range(2)]
        # What is kept can be read meanwhile.
        assert is_readable(node, 1)
    after = store(node, tmp_path, 2)

    assert (before.status, after.status) == (Status.SUCCESS, Status.SUCCESS)
    assert [(one.status, one.message) for one in refused] == [
        (Status.OUT_OF_RESOURCES, message)
    ] * 2
    assert is_readable(node, 2)
    assert list((disk.folder / ".unfinished").iterdir()) == []
    with node.database.reading() as session:
        assert len(session.exec(select(InstanceRow)).all()) == 2


def test_a_disk_that_fills_up_in_the_middle_of_an_object_keeps_nothing_of_it(
    node: Node, disk: SmallDisk, tmp_path: Path
) -> None:
    # Above the watermark when it begins, and larger than the whole disk.
    refused = store(node, tmp_path, 1, bytes(DISK_MIB * MIB))
    kept = store(node, tmp_path, 2)

    assert refused.status == Status.OUT_OF_RESOURCES
    assert kept.status == Status.SUCCESS
    assert len(list(disk.folder.rglob("*.dcm"))) == 1
    assert list((disk.folder / ".unfinished").iterdir()) == []


def test_scoring_goes_on_below_the_watermark(node: Node, disk: SmallDisk, tmp_path: Path) -> None:
    store(node, tmp_path, 1)
    storage, database = node.archive.storage, node.database
    with below_the_watermark(disk):
        with database.transaction() as session:
            claims = ledger.claim(session, JobKind.ANALYSE, "worker", 1, 60)
        AnalyseStep(database, storage, FixedScorers(Scorers({}))).run(claims)
        picture = str(keep_pictures(storage, np.eye(16, dtype=np.float32)).scan_key)
        assert storage.exists(picture)

    with database.reading() as session:
        assert session.exec(select(JobRow.status)).all() == [JobStatus.DONE]
