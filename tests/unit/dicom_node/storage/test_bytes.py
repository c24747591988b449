import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import RecordNotFound, SettingsInvalid
from dicom_node.errors import ObjectUnreadable, StorageAway, StorageFull
from dicom_node.storage.bytes import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(f"file://{tmp_path / 'instances'}")


def files_below(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_put_keeps_the_chunks_as_one_object(storage: Storage) -> None:
    storage.put("ab/abc.dcm", [b"one", b"", b"two"])

    assert storage.read("ab/abc.dcm") == b"onetwo"
    assert files_below(storage.root) == ["ab/abc.dcm"]


def test_an_object_that_goes_to_the_disk_while_it_comes_is_kept_whole(storage: Storage) -> None:
    chunks = [bytes([number]) * (5 << 20) for number in range(5)]

    storage.put("ab/abc.dcm", chunks)

    assert storage.read("ab/abc.dcm") == b"".join(chunks)


def test_put_twice_keeps_one_object(storage: Storage) -> None:
    storage.put("ab/abc.dcm", b"same")
    storage.put("ab/abc.dcm", b"same")

    assert files_below(storage.root) == ["ab/abc.dcm"]


def test_put_syncs_the_file_before_and_the_folder_after_the_rename(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[int, bool]] = []
    fsync = os.fsync
    target = storage.root / "ab" / "abc.dcm"

    def watched(descriptor: int) -> None:
        steps.append((os.fstat(descriptor).st_ino, target.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    storage.put("ab/abc.dcm", b"content")

    assert [renamed for inode, renamed in steps if inode == target.stat().st_ino] == [False]
    folders = [target.parent.stat().st_ino, storage.root.stat().st_ino]
    assert [inode for inode, renamed in steps if renamed] == folders


def test_put_syncs_the_parent_of_each_new_folder(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    synced: list[int] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    storage.put("ab/cd/abc.dcm", b"content")

    parents = [tmp_path, storage.root, storage.root / "ab"]
    assert {folder.stat().st_ino for folder in parents} <= set(synced)


@pytest.mark.parametrize(
    "key", ["../x", "/etc/passwd", "a//b", "", "a/../b", ".unfinished/x", "a\x00b", "a/", "ä"]
)
def test_a_key_that_could_leave_the_root_is_a_programming_error(storage: Storage, key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        storage.put(key, b"")


def test_put_that_fails_half_way_leaves_nothing(storage: Storage) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise OSError(errno.ENOSPC, "no space")

    with pytest.raises(StorageFull):
        storage.put("ab/abc.dcm", chunks())

    assert files_below(storage.root) == []


@pytest.mark.parametrize(
    ("number", "error"),
    [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EIO, StorageAway)],
)
def test_a_disk_error_is_named(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    storage.prepare()
    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(error, match=errno.errorcode[number]):
        storage.put("ab/abc.dcm", b"content")
    assert files_below(storage.root) == []


def test_a_folder_that_cannot_be_made_is_a_storage_fault(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file")
    storage = Storage(f"file://{tmp_path / 'occupied' / 'instances'}")

    with pytest.raises(StorageAway, match="ENOTDIR"):
        storage.put("ab/abc.dcm", b"content")


def test_read_of_an_unknown_key_says_so(storage: Storage) -> None:
    storage.prepare()

    with pytest.raises(RecordNotFound, match=r"ab/abc\.dcm"):
        storage.read("ab/abc.dcm")


def test_a_storage_whose_disk_was_taken_away_is_away(storage: Storage) -> None:
    storage.prepare()
    storage.put("ab/abc.dcm", b"content")
    storage.root.rename(storage.root.with_name("unmounted"))
    storage.root.mkdir()

    with pytest.raises(StorageAway):
        storage.put("ab/abd.dcm", b"would be hidden below the mount")
    with pytest.raises(StorageAway):
        storage.read("ab/abc.dcm")
    with pytest.raises(StorageAway):
        storage.reach()

    assert list(storage.root.iterdir()) == []
    storage.root.rmdir()
    storage.root.with_name("unmounted").rename(storage.root)
    storage.put("ab/abd.dcm", b"back")
    assert (storage.read("ab/abc.dcm"), storage.read("ab/abd.dcm")) == (b"content", b"back")


def test_a_storage_that_another_process_prepared_is_never_made_again(storage: Storage) -> None:
    storage.root.mkdir()
    storage.expect()

    with pytest.raises(StorageAway):
        storage.put("ab/abc.dcm", b"would be hidden below the mount")

    assert list(storage.root.iterdir()) == []


def test_one_damaged_object_is_not_the_whole_storage(storage: Storage) -> None:
    storage.prepare()
    (storage.root / "ab" / "abc.dcm").mkdir(parents=True)

    with pytest.raises(ObjectUnreadable, match="EISDIR"):
        storage.read("ab/abc.dcm")


def test_a_fault_while_reading_is_named(storage: Storage) -> None:
    storage.put("ab/abc.dcm", b"content")

    with pytest.raises(ObjectUnreadable, match="EIO"), storage.open("ab/abc.dcm"):
        raise OSError(errno.EIO, "as the file's own read does on a failing disk")


def test_asking_for_an_object_of_a_failing_disk_is_a_storage_fault(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    storage.prepare()
    monkeypatch.setattr(os, "stat", fail)
    monkeypatch.setattr(Path, "stat", fail)

    with pytest.raises(StorageAway, match="ESTALE"):
        storage.exists("ab/abc.dcm")


def test_prepare_shares_the_clearing_with_another_receiver(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.put("ab/abc.dcm", b"content")
    gone = storage.root / ".unfinished" / "cleared-by-the-other"
    monkeypatch.setattr(Path, "iterdir", lambda _folder: iter([gone]))

    storage.prepare()

    assert storage.read("ab/abc.dcm") == b"content"


def test_delete_removes_and_is_harmless_to_repeat(storage: Storage) -> None:
    storage.put("ab/abc.dcm", b"content")

    storage.delete("ab/abc.dcm")
    storage.delete("ab/abc.dcm")

    assert not storage.exists("ab/abc.dcm")


def test_prepare_clears_what_a_killed_process_left(storage: Storage) -> None:
    storage.put("ab/abc.dcm", b"content")
    (storage.root / ".unfinished" / "leftover").write_bytes(b"half")

    storage.prepare()

    assert files_below(storage.root) == ["ab/abc.dcm"]


def test_prepare_spares_a_file_another_receiver_is_writing(storage: Storage) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"first"
        Storage(f"file://{storage.root}").prepare()
        yield b"second"

    storage.put("ab/abc.dcm", chunks())

    assert storage.read("ab/abc.dcm") == b"firstsecond"


def test_free_bytes_of_a_folder_not_made_yet_are_those_of_its_disk(storage: Storage) -> None:
    assert storage.free_bytes() > 0


@pytest.mark.parametrize("url", ["s3://bucket/x", "file://host/x", "file:relative", "/x"])
def test_another_kind_of_url_is_refused(url: str) -> None:
    with pytest.raises(SettingsInvalid):
        Storage(url)


def test_a_url_with_escapes_names_the_folder_it_means(tmp_path: Path) -> None:
    assert Storage(f"file://{tmp_path}/my%20scans").root == tmp_path / "my scans"
