"""A node is backed up while objects come in, destroyed, and restored: all of it is there."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select

from arcuate.backup.backing_up import BackedUp, back_up
from arcuate.backup.errors import BackupElsewhere, BackupIncomplete, BackupUnfit
from arcuate.backup.restoring import Restored, restore
from arcuate.node import Node, prepare_node
from arcuate.waiting import wait_until
from core.clock import utc_now
from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.ingest import ingest
from tests.builders.encoded_instance import encode_instance
from tests.conftest import REPOSITORY
from tests.fixtures.audit_trail import audited

_PATIENCE_SECONDS = 60.0
ARCUATE = (sys.executable, "-m", "arcuate")


def _everything(items: Iterable[Any]) -> Iterable[Any]:
    return items


@dataclass
class Device:
    """Stores one object after the other, and notes what was acknowledged."""

    archive: Archive
    acknowledged: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stopping.is_set():
            self.store()

    def store(self) -> str:
        uid = f"1.2.3.1.1.{len(self.acknowledged) + 1}"
        ingest(self.archive, encode_instance(SOPInstanceUID=uid, PixelData=uid.encode() * 400))
        self.acknowledged.append(uid)
        return uid

    def has_stored(self, number: int) -> bool:
        return wait_until(lambda: len(self.acknowledged) >= number, _PATIENCE_SECONDS)


@pytest.fixture
def node(settings: Settings, need: Callable[[str], None]) -> Iterator[Node]:
    prepared = prepare_node(settings)
    if not prepared.database.is_sqlite:
        need("pg_dump")
    yield prepared
    prepared.database.close()


def _device_of(node: Node, acknowledged: list[str]) -> Device:
    archive = open_archive(node.settings, node.database, node.storage)
    archive.prepare()
    return Device(archive, acknowledged)


@pytest.fixture
def device(node: Node) -> Device:
    return _device_of(node, [])


@contextmanager
def _storing(device: Device) -> Iterator[None]:
    thread = threading.Thread(target=device.run)
    thread.start()
    try:
        yield
    finally:
        device.stopping.set()
        thread.join(_PATIENCE_SECONDS)


def _back_up(
    node: Node,
    folder: Path,
    earlier: Path | None = None,
    tracked: Callable[[Iterable[Any]], Iterable[Any]] = _everything,
) -> BackedUp:
    return back_up(node, folder, earlier, with_files=True, tracked=tracked)


def _destroy(node: Node) -> None:
    node.database.close()
    if not node.database.is_sqlite:
        with node.database.transaction() as session:
            session.execute(text("DROP SCHEMA public CASCADE"))
            session.execute(text("CREATE SCHEMA public"))
        node.database.close()
    else:
        Path(str(node.database.url.database)).unlink()
    rmtree(node.settings.home)


def _restore(node: Node, folder: Path) -> Restored:
    return restore(node.settings, folder, _everything)


def _rows(database: Database) -> dict[str, InstanceRow]:
    with database.reading() as session:
        rows = session.exec(select(InstanceRow)).all()
    return {row.sop_instance_uid: row for row in rows}


def test_all_that_was_recorded_at_the_moment_comes_back(
    node: Node, device: Device, tmp_path: Path
) -> None:
    with _storing(device):
        assert device.has_stored(20)
        before = list(device.acknowledged)
        made = _back_up(node, tmp_path / "backup")
        assert device.has_stored(len(before) + 5)
    _destroy(node)

    restored = _restore(node, tmp_path / "backup")

    rows = _rows(node.database)
    assert (made.lost, made.manifest.removed, restored.damaged) == ((), (), ())
    assert set(before) <= set(rows) <= set(device.acknowledged)
    assert restored.instances == len(rows)
    for uid in before:
        assert uid.encode() * 400 in node.storage.read(rows[uid].storage_key)
    with node.database.reading() as session:
        subjects = set(session.exec(select(JobRow.subject)).all())
    acts = [row.action for row in audited(node.database) if row.object_kind == "backup"]
    assert subjects == {str(row.id) for row in rows.values()}
    assert acts == ["export", "create"]
    # Started anew, the restored node takes in what comes now.
    started = prepare_node(node.settings)
    assert _device_of(started, device.acknowledged).store() in _rows(node.database)
    started.database.close()


def test_what_an_earlier_back_up_holds_is_not_copied_again(
    node: Node, device: Device, tmp_path: Path
) -> None:
    device.store()
    first = _back_up(node, tmp_path / "first")
    device.store()

    second = _back_up(node, tmp_path / "second", earlier=tmp_path / "first")
    rmtree(tmp_path / "first")
    _destroy(node)

    assert (first.linked, first.manifest.files) == (0, 1)
    assert (second.linked, second.manifest.files) == (1, 2)
    assert _restore(node, tmp_path / "second").instances == 2


def test_what_is_removed_meanwhile_is_told_apart_from_what_is_lost(
    node: Node, device: Device, tmp_path: Path
) -> None:
    gone, lost, kept = (device.store() for _ in range(3))
    keys = {uid: row.storage_key for uid, row in _rows(node.database).items()}

    def remove_first(items: Iterable[Any]) -> Iterator[Any]:
        with node.database.transaction() as session:
            row = session.exec(select(InstanceRow).where(InstanceRow.sop_instance_uid == gone))
            row.one().bytes_removed_at = utc_now()
        for uid in (gone, lost):
            node.storage.delete(keys[uid])
        yield from items

    made = _back_up(node, tmp_path / "backup", tracked=remove_first)
    _destroy(node)
    restored = _restore(node, tmp_path / "backup")

    assert made.lost == (f"instances/{keys[lost]}",)
    assert made.manifest.removed == (f"instances/{keys[gone]}",)
    assert (restored.instances, restored.damaged) == (1, (lost,))
    assert node.storage.exists(keys[kept])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_back_up_that_is_not_whole_is_refused(node: Node, device: Device, tmp_path: Path) -> None:
    device.store()
    folder = tmp_path / "backup"
    _back_up(node, folder)

    with pytest.raises(BackupElsewhere, match="not empty"):
        _back_up(node, folder)
    with pytest.raises(BackupElsewhere, match="restore into a new node"):
        _restore(node, folder)
    _destroy(node)
    elsewhere = Settings(home=tmp_path / "other", database_url="postgresql+psycopg://x@y/z")
    with pytest.raises(BackupUnfit, match="of sqlite"):
        restore(elsewhere, folder, _everything)
    note = json.loads((folder / "backup.json").read_text("utf-8"))
    (folder / "backup.json").write_text(json.dumps({**note, "schema": "9999"}), "utf-8")
    with pytest.raises(BackupUnfit, match="newer"):
        _restore(node, folder)
    (folder / "backup.json").unlink()
    with pytest.raises(BackupIncomplete, match="no whole back-up"):
        _restore(node, folder)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_damaged_file_and_a_missing_one_cost_none_of_the_others(
    node: Node, device: Device, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    damaged, missing, whole = (device.store() for _ in range(3))
    keys = {uid: _key_of(node, uid) for uid in (damaged, missing, whole)}
    _back_up(node, folder)
    _destroy(node)
    copy = folder / "instances" / keys[damaged]
    copy.write_bytes(copy.read_bytes()[:-1] + b"?")
    (folder / "instances" / keys[missing]).unlink()

    said = json.loads(_call(node, *ARCUATE, "restore", str(folder), "--json", code=1))

    assert (said["instances"], said["damaged"]) == (1, [damaged, missing])
    assert set(said["left_out"]) == {f"instances/{keys[uid]}" for uid in (damaged, missing)}
    assert [uid for uid, key in keys.items() if node.storage.exists(key)] == [whole]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("with_files", [True, False])
def test_the_note_of_the_key_of_the_audit_trail_comes_back(
    node: Node, tmp_path: Path, with_files: bool
) -> None:
    note = node.settings.home / "audit-keyed-from"
    note.write_text("7:abc\n", "ascii")
    back_up(node, tmp_path / "backup", None, with_files, _everything)
    _destroy(node)

    _restore(node, tmp_path / "backup")

    assert note.read_text("ascii") == "7:abc\n"
    node.database.close()
    Path(str(node.database.url.database)).unlink()
    with pytest.raises(BackupElsewhere, match="of another node"):
        _restore(node, tmp_path / "backup")


def test_a_damaged_record_is_refused_before_anything_is_written(
    node: Node, device: Device, tmp_path: Path
) -> None:
    device.store()
    _back_up(node, tmp_path / "backup")
    (record,) = (tmp_path / "backup").glob("record.*")
    content = record.read_bytes()
    _destroy(node)

    record.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(BackupIncomplete, match="Restore the back-up before it"):
        _restore(node, tmp_path / "backup")
    assert not node.settings.home.exists()
    record.write_bytes(content)
    assert _restore(node, tmp_path / "backup").instances == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_back_up_of_a_version_that_noted_no_digest_of_the_record_comes_back(
    node: Node, device: Device, tmp_path: Path
) -> None:
    device.store()
    _back_up(node, tmp_path / "backup")
    digests = tmp_path / "backup" / "SHA256SUMS"
    lines = digests.read_text("utf-8").splitlines(keepends=True)
    assert lines[0].split()[1] == "record.sqlite"
    digests.write_text("".join(lines[1:]), "utf-8")
    _destroy(node)

    assert _restore(node, tmp_path / "backup").instances == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_script_of_each_night_links_to_the_last_and_removes_the_old(
    node: Node, device: Device, tmp_path: Path
) -> None:
    device.store()
    folder = tmp_path / "backups"
    old, unfinished = folder / "20260101T023000Z", folder / "20260102T023000Z"
    _back_up(node, old)
    os.utime(old, (0, 0))
    unfinished.mkdir()

    _call(node, str(REPOSITORY / "deploy" / "backup"), str(folder), "14")
    (made,) = {*folder.iterdir()} - {unfinished}
    _destroy(node)
    restored = _call(node, *ARCUATE, "restore", str(made), "--json")

    assert next(made.glob("instances/*/*.dcm")).stat().st_nlink == 1
    assert json.loads(restored)["instances"] == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_script_of_each_night_removes_the_old_where_a_file_is_lost_and_says_so(
    node: Node, device: Device, tmp_path: Path
) -> None:
    lost = _key_of(node, device.store())
    folder = tmp_path / "backups"
    old = folder / "20260101T023000Z"
    _back_up(node, old)
    os.utime(old, (0, 0))
    node.storage.delete(lost)

    said = _call(node, str(REPOSITORY / "deploy" / "backup"), str(folder), "14", code=1)

    (made,) = folder.iterdir()
    assert (made != old, (made / "backup.json").is_file()) == (True, True)
    assert f"Recorded, but not in the storage: instances/{lost}" in said


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_script_of_each_night_copies_the_record_alone_where_it_is_told_to(
    node: Node, device: Device, tmp_path: Path
) -> None:
    device.store()
    folder = tmp_path / "backups"
    folder.mkdir()

    _call(
        node,
        str(REPOSITORY / "deploy" / "backup"),
        str(folder),
        "14",
        BACKUP_OPTIONS="--record-only",
    )

    (made,) = folder.iterdir()
    assert {path.name for path in made.iterdir()} == {"record.sqlite", "backup.json", "SHA256SUMS"}


def _key_of(node: Node, uid: str) -> str:
    return _rows(node.database)[uid].storage_key


def _call(node: Node, *command: str, code: int = 0, **values: str) -> str:
    environment = {
        **os.environ,
        **values,
        "ARCUATE": " ".join(ARCUATE),
        "ARCUATE_HOME": str(node.settings.home),
        "ARCUATE_DATABASE_URL": node.settings.database_url,
    }
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stderr
    return ended.stdout + ended.stderr if code else ended.stdout
