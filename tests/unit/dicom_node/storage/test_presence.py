from pathlib import Path

import pytest

from core.clock import utc_now
from core.database import Database
from core.settings import Settings
from dicom_node.errors import StorageAway
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.presence import is_prepared, prepare_storage
from tests.builders.kept_study import NOW, instance, keep_raw
from tests.builders.received import open_test_archive


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    return open_test_archive(settings, database)


def _take_away(archive: Archive) -> Path:
    """Leave the mount point of the storage, and return where its disk is now."""
    root, away = archive.storage.root, archive.storage.root.with_name("unmounted")
    root.rename(away)
    root.mkdir()
    return away


def _opened_anew(archive: Archive) -> Storage:
    return Storage(f"file://{archive.storage.root}")


def test_storage_of_a_record_that_names_nothing_yet_is_made(
    settings: Settings, database: Database
) -> None:
    storage = Storage(settings.storage)

    prepare_storage(database, storage)

    assert is_prepared(storage)


def test_storage_whose_disk_is_away_is_not_made_in_its_mount_point(
    archive: Archive, settings: Settings
) -> None:
    keep_raw(archive, "1", NOW)
    away = _take_away(archive)

    with pytest.raises(StorageAway, match="mount its disk"):
        open_archive(settings, archive.database, _opened_anew(archive)).prepare()
    assert list(archive.storage.root.iterdir()) == []

    archive.storage.root.rmdir()
    away.rename(archive.storage.root)
    prepare_storage(archive.database, _opened_anew(archive))


def test_storage_whose_disk_is_away_is_not_made_where_it_was_a_folder_of_it(
    archive: Archive,
) -> None:
    keep_raw(archive, "1", NOW)
    _take_away(archive)
    archive.storage.root.rmdir()

    with pytest.raises(StorageAway):
        prepare_storage(archive.database, _opened_anew(archive))

    assert not archive.storage.root.exists()


def test_storage_of_a_record_whose_objects_were_all_removed_is_made_again(
    archive: Archive,
) -> None:
    key = keep_raw(archive, "1", NOW)
    _take_away(archive)
    with archive.database.transaction() as session:
        session.merge(instance(archive, key)).bytes_removed_at = utc_now()

    prepare_storage(archive.database, _opened_anew(archive))

    assert is_prepared(archive.storage)


def test_objects_that_were_copied_alone_are_a_storage(archive: Archive) -> None:
    keep_raw(archive, "1", NOW)
    (archive.storage.root / ".unfinished").rmdir()

    prepare_storage(archive.database, _opened_anew(archive))

    assert is_prepared(archive.storage)
