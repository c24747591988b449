"""Stores that come at once: what one of them does to the others, and what a fault leaves."""

import errno
import os
import threading
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlmodel import select

from core.database import Database
from core.errors import NodeError
from core.tables.instances import InstanceRow
from dicom_node.errors import InvalidInstance, StorageAway
from dicom_node.storage.archive import Archive
from dicom_node.storage.digest_key import digest_key
from dicom_node.storage.group_commit import GroupCommit
from dicom_node.storage.ingest import ingest
from dicom_node.storage.part10 import EncodedInstance
from tests.builders.encoded_instance import as_file, encode_instance


def together(archive: Archive, instances: Sequence[EncodedInstance]) -> list[object]:
    """Ingest all as one group: nobody may lead before all wait. Return outcomes or errors."""
    results: list[object] = [None] * len(instances)

    def work(index: int) -> None:
        try:
            results[index] = ingest(archive, instances[index])
        except Exception as error:  # noqa: BLE001 - what a store ends with is looked at
            results[index] = error

    commits: GroupCommit = archive.commits
    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(instances))]
    # As if somebody led who is not ready yet.
    commits._is_led = True
    for thread in threads:
        thread.start()
    while len(commits._waiting) < len(instances):
        threading.Event().wait(0.01)
        assert any(thread.is_alive() for thread in threads)
    commits._pass_on()
    for thread in threads:
        thread.join(timeout=60)
    return results


def failing_once(
    monkeypatch: pytest.MonkeyPatch, is_the_one: Callable[[os.stat_result], bool]
) -> list[os.stat_result]:
    """Let the first sync of such a thing fail; return what was synced."""
    fsync, synced, failed = os.fsync, [], threading.Event()

    def watched(descriptor: int) -> None:
        status = os.fstat(descriptor)
        if is_the_one(status) and not failed.is_set():
            failed.set()
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(descriptor)
        synced.append(status)

    monkeypatch.setattr(os, "fsync", watched)
    return synced


def test_a_group_is_one_transaction(archive: Archive, database: Database) -> None:
    ingest(archive, encode_instance(SOPInstanceUID="1.2.3.1.1.9"))
    instances = [encode_instance(SOPInstanceUID=f"1.2.3.1.1.{number}") for number in range(10, 16)]
    begun = []

    def count(*_: object) -> None:
        begun.append(1)

    event.listen(database.engine, "commit", count)
    results = together(archive, instances)

    assert [getattr(result, "is_new", result) for result in results] == [True] * 6
    assert len(begun) == 1


def test_one_that_cannot_be_written_is_alone_with_its_fault(
    archive: Archive, database: Database
) -> None:
    ingest(archive, encode_instance(SOPInstanceUID="1.2.3.1.1.9"))
    refusing = (
        "CREATE TRIGGER refuse BEFORE INSERT ON instances WHEN NEW.instance_number = '13' "
        "BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    if not database.is_sqlite:
        pytest.skip("the fault is made by a trigger of SQLite")
    with database.engine.begin() as connection:
        connection.execute(text(refusing))
    instances = [
        encode_instance(SOPInstanceUID=f"1.2.3.1.1.{number}", InstanceNumber=number)
        for number in range(10, 16)
    ]

    results = together(archive, instances)

    assert [getattr(result, "is_new", False) for result in results] == [
        number != 13 for number in range(10, 16)
    ]


@pytest.mark.filterwarnings("ignore:The value length:UserWarning")
def test_a_patient_id_no_database_can_index_is_refused_and_harms_nobody(archive: Archive) -> None:
    long = encode_instance(SOPInstanceUID="1.2.3.7.1.1", PatientID="x" * 9000)
    good = [encode_instance(SOPInstanceUID=f"1.2.3.1.1.{number}") for number in range(4)]

    with pytest.raises(InvalidInstance, match="longer than any"):
        ingest(archive, long)

    assert all(getattr(result, "is_new", False) for result in together(archive, good))


def test_success_after_a_failed_sync_of_the_folder_means_it_was_synced(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = encode_instance()
    folder = archive.storage.root / Path(digest_key(ingest_digest(encoded))).parent
    inode = folder.stat().st_ino
    synced = failing_once(monkeypatch, lambda status: status.st_ino == inode)

    with pytest.raises(StorageAway):
        ingest(archive, encoded)
    del synced[:]

    assert ingest(archive, encoded).is_new
    assert inode in [status.st_ino for status in synced]


def ingest_digest(encoded: EncodedInstance) -> str:
    return sha256(encoded.data_set).hexdigest()


def test_the_object_sent_again_mends_damaged_bytes(archive: Archive) -> None:
    encoded = encode_instance()
    path = archive.storage.root / digest_key(ingest(archive, encoded).digest)
    path.write_bytes(b"\xff" * path.stat().st_size)

    assert not ingest(archive, encoded).is_new

    assert path.read_bytes() == as_file(encoded)


def test_rows_of_a_group_are_written_in_one_order(archive: Archive, database: Database) -> None:
    order = [5, 2, 4, 1, 3]

    together(archive, [encode_instance(SOPInstanceUID=f"1.2.3.1.1.{n}") for n in order])

    with database.reading() as session:
        kept = session.exec(select(InstanceRow.sop_instance_uid).order_by("id")).all()
    assert list(kept) == sorted(kept)


def test_a_fault_of_the_record_meets_the_whole_group_once(
    archive: Archive, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def away(*_: object, **__: object) -> None:
        asked.append(1)
        raise StorageAway("for all of them")

    monkeypatch.setattr("dicom_node.storage.group_commit.record", away)
    results = together(
        archive, [encode_instance(SOPInstanceUID=f"1.2.3.1.1.{number}") for number in range(4)]
    )

    assert [type(result) for result in results] == [StorageAway] * 4
    assert len(asked) == 1
    assert issubclass(StorageAway, NodeError)
