"""The disk fills in the middle of an object: its sender is told, nobody else notices."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from shutil import copyfile

import pytest
from sqlmodel import select

from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from dicom_node.statuses import Status
from dicom_node.storage.part10 import EncodedInstance
from tests.builders.encoded_instance import encode_instance
from tests.builders.messages import fragments, pdu_of, store_command
from tests.fixtures.dicom_server import Node, running_node
from tests.fixtures.raw_peer import RawPeer, raw_peer
from tests.fixtures.small_disk import SmallDisk, small_disk

MIB = 1 << 20
INODES = 4096
DISK_BYTES = 8 * MIB
PATIENCE_SECONDS = 60.0


def instance(number: int, size_bytes: int) -> EncodedInstance:
    return encode_instance(
        SOPInstanceUID=f"1.2.3.1.1.{number}",
        PixelData=number.to_bytes(4, "big") * (size_bytes // 4),
    )


LARGE = instance(99, 12 * MIB)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", DISK_BYTES, INODES) as mounted:
        if mounted is None:
            # No failure in CI either: only root may.
            pytest.skip("a small disk cannot be mounted here")
        yield mounted


@pytest.fixture
def node(settings: Settings, database: Database, disk: SmallDisk) -> Iterator[Node]:
    """Its instances are on the small disk, its record is not."""
    changes = {"storage_url": f"file://{disk.folder}/instances", "minimum_free_mib": 0}
    with running_node(settings.model_copy(update=changes), database) as running:
        yield running


@contextmanager
def associated(node: Node) -> Iterator[RawPeer]:
    with raw_peer(node.port) as peer:
        peer.associate()
        yield peer
        peer.release()


def unfinished(node: Node) -> list[Path]:
    return list((node.archive.storage.root / ".unfinished").iterdir())


def kept(node: Node) -> dict[str, str]:
    """SHA-256 of what is kept, by UID; nothing half-written may be there."""
    storage = node.archive.storage
    assert not unfinished(node)
    with node.database.reading() as session:
        rows = session.exec(select(InstanceRow)).all()
    assert len(list(storage.root.rglob("*.dcm"))) == len(rows)
    contents = {r.sop_instance_uid: storage.read(r.storage_key)[-r.size_bytes :] for r in rows}
    return {uid: sha256(content).hexdigest() for uid, content in contents.items()}


def digests(*instances: EncodedInstance) -> dict[str, str]:
    return {one.sop_instance_uid: sha256(one.data_set).hexdigest() for one in instances}


def test_an_object_that_fills_the_disk_is_refused_and_its_neighbours_are_kept(node: Node) -> None:
    before, meanwhile, after = (instance(n, 100_000) for n in range(1, 4))
    parts = fragments(LARGE.data_set, is_command=False, sizes=[100_000] * 120)

    with associated(node) as large, associated(node) as small:
        first = small.store(before)
        large.send(pdu_of(fragments(store_command(LARGE), is_command=True)))
        for part in parts[:-1]:
            large.send(pdu_of([part]))
        assert wait_until(lambda: not unfinished(node), PATIENCE_SECONDS)
        second = small.store(meanwhile)
        large.send(pdu_of(parts[-1:]))
        refused = large.hear_status()
        third = large.store(after, 2)

    assert refused == Status.OUT_OF_RESOURCES
    assert (first, second, third) == (0, 0, 0)
    assert kept(node) == digests(before, meanwhile, after)


def test_what_does_not_fit_is_refused_until_there_is_room(node: Node, disk: SmallDisk) -> None:
    small, medium = instance(1, 20_000), instance(2, 2 * MIB)
    with associated(node) as peer:
        with disk.filled(leave_bytes=MIB):
            refused, fits = peer.store(medium, 1), peer.store(small, 2)
        again = peer.store(medium, 3)

    assert (refused, fits, again) == (Status.OUT_OF_RESOURCES, 0, 0)
    assert kept(node) == digests(small, medium)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_disk_without_room_for_the_record_refuses_until_there_is(
    settings: Settings, database: Database, disk: SmallDisk
) -> None:
    copyfile(str(database.url.database), disk.folder / "arcuate.db")
    full = Database(f"sqlite:///{disk.folder}/arcuate.db")
    objects = [instance(number, 20_000) for number in range(1, 4)]
    changes = {"home": disk.folder, "minimum_free_mib": 0}
    with running_node(settings.model_copy(update=changes), full) as node:
        with associated(node) as peer:
            first = peer.store(objects[0])
            with disk.filled(leave_bytes=30_000):
                refused = [peer.store(one) for one in objects[1:]]
            after = [peer.store(one) for one in objects[1:]]
        assert kept(node) == digests(*objects)
    full.close()

    assert first == 0
    assert refused == [Status.OUT_OF_RESOURCES] * 2
    assert after == [0, 0]
