"""Instances and reports in a bucket of a real object store, and whatever may be wrong with it."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydicom.uid import JPEG2000Lossless
from sqlmodel import select

from api.dependencies import Node
from api.metrics.reading import MetricReader
from arcuate.finding import Health
from arcuate.storage_checks import check_storage
from arcuate.waiting import wait_until
from core.database import Database
from core.errors import RecordNotFound
from core.metrics.register import (
    STORAGE_UP,
    STORAGE_WAITING,
    STORAGE_WAITING_AGE,
    STORAGE_WAITING_BYTES,
)
from core.monthly_memory import MonthlyMemory
from core.settings import Settings
from core.tables.instances import InstanceRow
from dicom_node.delivery.moving import Mover
from dicom_node.errors import StorageAway, StorageFull
from dicom_node.scu.store import send
from dicom_node.statuses import Status
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bucket_storage import BucketStorage
from dicom_node.storage.ingest import ingest
from dicom_node.storage.opening import open_storage
from dicom_node.storage.part10 import EncodedInstance
from dicom_node.storage.retention.policy import RetentionPolicy
from dicom_node.storage.retention.run import remove
from dicom_node.storage.selection import Selection
from dicom_node.storage.uncompressed import Uncompressing
from tests.builders.encoded_instance import as_file, encode_instance
from tests.builders.frames import frames_instance, grey_frames
from tests.fixtures.dicom_server import DEVICE, running_node
from tests.fixtures.gate import Gate
from tests.fixtures.object_store import ACCESS_KEY, ObjectStore, in_bucket

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PATIENCE_SECONDS = 60.0


@pytest.fixture
def settings(settings: Settings, gate: Gate, tmp_path: Path) -> Settings:
    return in_bucket(settings, gate, tmp_path)


@dataclass(frozen=True)
class Kept:
    """An archive in a bucket."""

    archive: Archive
    storage: BucketStorage

    def waiting(self) -> list[str]:
        return sorted(self.storage.waiting_keys())

    def move(self) -> int:
        return Mover(self.storage, threading.Event()).move_waiting()


def opened(settings: Settings, database: Database, **changes: object) -> Kept:
    changed = settings.model_copy(update=changes)
    storage = open_storage(changed)
    assert isinstance(storage, BucketStorage)
    archive = open_archive(changed, database, storage)
    archive.prepare()
    return Kept(archive, storage)


def instance(number: int = 0, size_bytes: int = 60_000) -> EncodedInstance:
    pixels = bytes([number]) * size_bytes
    return encode_instance(SOPInstanceUID=f"1.2.3.1.1.{number + 1}", PixelData=pixels)


def row_of(database: Database, encoded: EncodedInstance) -> InstanceRow:
    uid = encoded.sop_instance_uid
    with database.reading() as session:
        return session.exec(select(InstanceRow).where(InstanceRow.sop_instance_uid == uid)).one()


def is_whole(kept: Kept, encoded: EncodedInstance) -> bool:
    key = row_of(kept.archive.database, encoded).storage_key
    return kept.storage.read(key).endswith(encoded.data_set)


def test_answered_instance_is_in_the_bucket_and_nowhere_else(
    settings: Settings, database: Database, objects: ObjectStore
) -> None:
    kept, encoded = opened(settings, database), instance()

    ingest(kept.archive, encoded)

    row = row_of(database, encoded)
    assert kept.waiting() == []
    assert f"{row.digest}.dcm" in objects.objects()
    assert is_whole(kept, encoded)
    assert kept.storage.exists(row.storage_key)
    assert kept.storage.size(row.storage_key) == len(kept.storage.read(row.storage_key))
    with pytest.raises(RecordNotFound):
        kept.storage.read(f"0/{'0' * 64}.dcm")


def test_of_a_large_object_only_what_is_read_is_fetched(
    settings: Settings, database: Database, gate: Gate
) -> None:
    kept, encoded = opened(settings, database), instance(size_bytes=14 << 20)
    ingest(kept.archive, encoded)
    key, before = row_of(database, encoded).storage_key, gate.received_bytes

    with kept.storage.open(key) as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(length - 1000)
        end = file.read()

    assert end == encoded.data_set[-1000:]
    assert gate.received_bytes - before < 200_000
    assert is_whole(kept, encoded)


def test_frame_is_decoded_from_the_bucket(settings: Settings, database: Database) -> None:
    kept = opened(settings, database)
    ingest(kept.archive, frames_instance(JPEG2000Lossless, bits=16))
    [selected] = Selection(sop_instance_uids=("1.2.3.1.1.1",)).instances(database)

    frame = Uncompressing(1 << 30).frame(kept.storage, selected, 3)

    assert (frame == grey_frames(4, 16)[2]).all()


def test_store_that_the_bucket_does_not_take_is_refused_and_taken_when_sent_again(
    settings: Settings, database: Database, gate: Gate, tmp_path: Path
) -> None:
    path, encoded = tmp_path / "instance.dcm", instance()
    path.write_bytes(as_file(encoded))

    gate.shut()
    with running_node(settings, database) as node:
        refused = [result.status for result in send([path, path], node.address, DEVICE)]
    kept = opened(settings, database)
    waiting = kept.waiting()
    gate.open()
    with running_node(settings, database) as node:
        [again] = send([path], node.address, DEVICE)

    assert refused == [Status.OUT_OF_RESOURCES] * 2
    assert waiting == [row_of(database, encoded).storage_key]
    assert again.status == Status.SUCCESS
    assert kept.waiting() == []
    assert is_whole(kept, encoded)


def test_buffered_store_is_answered_and_moves_when_the_object_store_is_back(
    settings: Settings, database: Database, objects: ObjectStore
) -> None:
    kept = opened(settings, database, storage_buffer=True)
    objects.stop()
    try:
        for number in range(3):
            ingest(kept.archive, instance(number))
        assert len(kept.waiting()) == 3
        assert all(is_whole(kept, instance(number)) for number in range(3))
        with pytest.raises(StorageAway, match="unreachable"):
            kept.move()
    finally:
        objects.start()

    assert kept.move() == 3
    assert kept.waiting() == []
    assert all(is_whole(kept, instance(number)) for number in range(3))


def test_object_store_that_asks_to_slow_down_is_asked_again(
    settings: Settings, database: Database, gate: Gate
) -> None:
    kept = opened(settings, database)
    gate.slow_down(2)

    ingest(kept.archive, instance())

    assert gate.refused == 2
    assert is_whole(kept, instance())


def test_object_store_that_keeps_asking_to_slow_down_is_named(
    settings: Settings, database: Database, gate: Gate
) -> None:
    kept = opened(settings, database)
    gate.slow_down(1000)

    with pytest.raises(StorageAway, match="SlowDown"):
        kept.storage.reach()


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("AWS_SECRET_ACCESS_KEY", "another-secret", "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "AKIANOBODY", "InvalidAccessKeyId"),
    ],
)
def test_wrong_credentials_are_named_and_not_told(
    settings: Settings,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    code: str,
) -> None:
    monkeypatch.setenv(name, value)
    kept = opened(settings, database)

    with pytest.raises(StorageAway, match=f"{code}.*AWS_SECRET_ACCESS_KEY") as refused:
        ingest(kept.archive, instance())

    assert value not in str(refused.value)
    assert ACCESS_KEY not in str(refused.value)
    finding = check_storage(settings)
    assert finding.health is Health.WRONG
    assert code in finding.found


def test_missing_bucket_is_not_taken_for_one_whose_objects_are_gone(
    settings: Settings, database: Database
) -> None:
    kept = opened(settings, database, storage_url="s3://nobody-made-it")
    key = f"0/{'0' * 64}.dcm"

    with pytest.raises(StorageAway, match=r"NoSuchBucket.*ARCUATE_STORAGE_URL"):
        ingest(kept.archive, instance())
    for ask in (kept.storage.read, kept.storage.exists, kept.storage.size):
        with pytest.raises(StorageAway, match="NoSuchBucket"):
            ask(key)
    with pytest.raises(StorageAway, match="NoSuchBucket"):
        kept.storage.reach()


def test_full_buffer_refuses_and_the_doctor_says_so(
    settings: Settings, database: Database, gate: Gate
) -> None:
    changes = {"storage_buffer": True, "storage_buffer_gib": 100_000 / 2**30}
    kept = opened(settings, database, **changes)
    gate.shut()
    ingest(kept.archive, instance(0))
    ingest(kept.archive, instance(1))

    with pytest.raises(StorageFull, match="storage_buffer_gib"):
        ingest(kept.archive, instance(2))

    gate.open()
    finding = check_storage(settings.model_copy(update=changes))
    assert finding.health is Health.WRONG
    assert "2 objects" in finding.found
    assert "storage_buffer_gib is reached" in finding.found
    assert kept.move() == 2
    assert check_storage(settings.model_copy(update=changes)).health is Health.GOOD


def test_damaged_object_stays_and_holds_up_no_other(settings: Settings, database: Database) -> None:
    kept = opened(settings, database, storage_buffer=True)
    for number in range(2):
        ingest(kept.archive, instance(number))
    damaged = row_of(database, instance(0)).storage_key
    path = kept.storage.root / damaged
    path.write_bytes(path.read_bytes()[:-1] + b"?")

    mover = Mover(kept.storage, threading.Event())
    assert [mover.move_waiting() for _ in range(2)] == [1, 0]

    assert kept.waiting() == [damaged]
    assert not kept.storage.bucket.exists(damaged)
    # Sent again, it mends itself.
    ingest(kept.archive, instance(0))
    assert mover.move_waiting() == 1
    assert is_whole(kept, instance(0))


def test_file_that_cannot_be_opened_holds_up_no_other(
    settings: Settings, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = opened(settings, database, storage_buffer=True)
    for number in range(6):
        ingest(kept.archive, instance(number))
    # In the order of the folder it comes first.
    bad = next(kept.storage.waiting_keys())
    path = kept.storage.root / bad
    path.unlink()
    path.symlink_to(path)

    assert kept.move() == 5
    assert kept.waiting() == [bad]
    assert kept.storage.waiting().files == 1
    assert "object_not_moved" in capsys.readouterr().out


def test_many_objects_that_are_refused_are_a_storage_that_is_away(
    settings: Settings, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = opened(settings, database, storage_buffer=True)
    for number in range(20):
        ingest(kept.archive, instance(number))
    for key in kept.waiting():
        path = kept.storage.root / key
        path.unlink()
        path.symlink_to(path)

    with pytest.raises(StorageAway):
        kept.move()

    assert 8 <= capsys.readouterr().out.count("object_not_moved") <= 12


def test_object_that_is_being_received_is_not_moved(settings: Settings, database: Database) -> None:
    kept = opened(settings, database, storage_buffer=True)
    ingest(kept.archive, instance())
    [key] = kept.waiting()
    with kept.storage.begin() as unfinished:
        unfinished.write((kept.storage.root / key).read_bytes())
        unfinished.sync()
        kept.storage.keep([(unfinished, key)])
        assert not kept.storage.move(key)
        with pytest.raises(StorageAway, match="being moved"):
            kept.storage.delete(key)

    assert kept.storage.move(key)


def test_retention_removes_what_moved_and_what_waits(
    settings: Settings, database: Database
) -> None:
    kept = opened(settings, database, storage_buffer=True)
    long_ago = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
    raw = {"Modality": "OT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.66"}
    for number in range(2):
        encoded = encode_instance(SOPInstanceUID=f"1.2.3.1.1.{number}", PixelData=None, **raw)
        ingest(kept.archive, encoded, clock=lambda: long_ago)
        if number == 0:
            kept.move()
    keys = [
        row_of(database, encode_instance(SOPInstanceUID=f"1.2.3.1.1.{n}")).storage_key
        for n in (0, 1)
    ]

    policy = RetentionPolicy(age=timedelta(days=1))
    outcome = remove(kept.archive, policy, long_ago + timedelta(days=9), lambda: None)

    assert outcome.files is not None
    assert (outcome.files.removed, outcome.files.failed) == (2, 0)
    assert [kept.storage.exists(key) for key in keys] == [False, False]


@pytest.mark.parametrize("kills", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_nothing_is_lost_when_the_mover_is_killed(
    settings: Settings, database: Database, kills: int
) -> None:
    kept = opened(settings, database, storage_buffer=True)
    sent = [instance(number, 400_000) for number in range(20 * kills)]
    for encoded in sent:
        ingest(kept.archive, encoded)

    left = [len(sent)]
    for _ in range(kills):
        with moving_process(settings) as process:
            assert wait_until(lambda: len(kept.waiting()) < left[-1], PATIENCE_SECONDS)
            process.send_signal(signal.SIGKILL)
        left.append(len(kept.waiting()))
        assert all(is_whole(kept, encoded) for encoded in sent)

    assert 0 < left[1] < len(sent)
    assert kept.move() == left[-1]
    assert kept.waiting() == []
    assert all(is_whole(kept, encoded) for encoded in sent)


def test_monitors_are_told_what_waits_and_that_the_bucket_is_away(
    settings: Settings, database: Database, gate: Gate
) -> None:
    kept = opened(settings, database, storage_buffer=True)
    ingest(kept.archive, instance())
    metrics = MetricReader(
        Node(settings, database, kept.storage, kept.archive, MonthlyMemory(database))
    )
    with_bucket = metrics.read()

    gate.shut()
    without = metrics.read()

    assert with_bucket[STORAGE_UP.name, ()] == 1
    assert without[STORAGE_UP.name, ()] == 0
    assert without[STORAGE_WAITING.name, ()] == 1
    assert without[STORAGE_WAITING_BYTES.name, ()] > 60_000
    assert without[STORAGE_WAITING_AGE.name, ()] > 0


def moving_process(settings: Settings) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.fixtures.mover", settings.model_dump_json()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process
