"""Restoring a back-up into a node that has nothing yet, and checking what came back.

Files first, then the record, which names them: a restore that was interrupted is no node yet.
"""

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url
from sqlmodel import col, select

from arcuate.audited import record_act
from arcuate.backup.contents import files_in, folders_of
from arcuate.backup.errors import BackupElsewhere, BackupIncomplete, BackupUnfit
from arcuate.backup.files import copy_file, digest_of
from arcuate.backup.manifest import Manifest, read_digests, read_manifest
from arcuate.backup.record import COPIES, load_record
from core.audit.keyed_note import NOTE_NAME
from core.database import Database
from core.migrations.schema import is_known_revision, migrate
from core.settings import Settings
from core.tables.columns import key_of
from core.tables.instances import InstanceRow
from core.values.audit import AuditAction
from dicom_node.storage.bytes import Storage
from dicom_node.storage.opening import open_storage
from dicom_node.storage.verification import is_kept_whole

Tracked = Callable[[Iterable[tuple[str, str]]], Iterable[tuple[str, str]]]
_ROWS = 500
#: What a file says that is gone, or lies where its disk is worn.
_UNREADABLE = frozenset({errno.ENOENT, errno.EIO})


@dataclass(frozen=True)
class Restored:
    """How a restore ended.

    Attributes
    ----------
    instances
        How many instances are whole: their bytes have the digest of their row.
    damaged
        SOP Instance UIDs of those that are not, and were not removed while the back-up was made.
    left_out
        Files of the back-up that are damaged or missing in it: all others were brought back.
    """

    manifest: Manifest
    instances: int
    damaged: tuple[str, ...]
    left_out: tuple[str, ...]


def restore(settings: Settings, folder: Path, tracked: Tracked) -> Restored:
    """Bring back what a back-up holds, and its record to the schema of this version.

    Raises
    ------
    BackupElsewhere
        If there is a node already, or part of one.
    BackupUnfit
        If the back-up is of the other database, or of a newer version.
    BackupIncomplete
        If it was not finished, or its record is damaged or missing.
    """
    manifest = read_manifest(folder)
    _check_fit(manifest, settings)
    digests = read_digests(folder)
    _check_record(folder / COPIES[manifest.database], digests)
    roots = folders_of(settings)
    _check_empty(settings.home, roots.values())
    settings.home.mkdir(parents=True, exist_ok=True)
    storage = open_storage(settings)
    storage.prepare()
    left_out = _copy_all_back(folder, {**roots, "": settings.home}, tracked(digests.items()))
    database = Database(settings.database)
    try:
        load_record(database, folder / COPIES[manifest.database])
        migrate(database)
        record_act(database, AuditAction.CREATE, "backup")
        whole, damaged = _check_instances(database, storage, manifest)
    finally:
        database.close()
    return Restored(manifest, whole, damaged, left_out)


def _check_fit(manifest: Manifest, settings: Settings) -> None:
    kind = make_url(settings.database).get_backend_name()
    if kind != manifest.database:
        raise BackupUnfit(
            f"The back-up is of {manifest.database}, ARCUATE_DATABASE_URL names {kind}"
        )
    if not is_known_revision(manifest.schema):
        raise BackupUnfit(
            f"The back-up was made by version {manifest.version}, whose database is newer than "
            "this version knows: install that version or a later one"
        )


def _check_record(record: Path, digests: dict[str, str]) -> None:
    """Compare the copy of the record with its digest, and take it off the list of files."""
    # Back-ups of earlier versions do not say it.
    noted = digests.pop(record.name, None)
    if not record.is_file():
        raise BackupIncomplete(f"{record} is missing: restore the back-up before it")
    if noted is not None and digest_of(record) != noted:
        raise BackupIncomplete(
            f"{record} is damaged: its SHA-256 is not the one noted. Restore the back-up before it"
        )


def _check_empty(home: Path, roots: Iterable[Path]) -> None:
    if (home / NOTE_NAME).exists():
        raise BackupElsewhere(f"{home / NOTE_NAME} is of another node: restore into a new one")
    for root in roots:
        if root.is_dir() and any(files_in(root)):
            raise BackupElsewhere(f"{root} is not empty: restore into a new node")


def _copy_all_back(
    folder: Path, roots: Mapping[str, Path], files: Iterable[tuple[str, str]]
) -> tuple[str, ...]:
    """Copy each file that is whole; return the others. One of them must not cost all the rest."""
    left_out = []
    for path, digest in files:
        # The note of the audit trail lies in no folder.
        place, _, below = path.partition("/") if "/" in path else ("", "", path)
        if not _copy_back(folder / path, roots[place] / below, digest):
            left_out.append(path)
    return tuple(left_out)


def _copy_back(source: Path, target: Path, digest: str) -> bool:
    """Whether a file was there and is as it was noted."""
    try:
        if copy_file(source.name, source, target).digest == digest:
            return True
    except OSError as error:
        # A disk that cannot be written to, or is full, is not the back-up's fault.
        if error.errno not in _UNREADABLE:
            raise
    target.unlink(missing_ok=True)
    return False


def _check_instances(
    database: Database, storage: Storage, manifest: Manifest
) -> tuple[int, tuple[str, ...]]:
    """Compare the bytes of each instance with the digest of its row."""
    removed = set(manifest.removed)
    whole, damaged = 0, []
    for row in _instances(database):
        if is_kept_whole(storage, row, beat=lambda: None):
            whole += 1
        elif f"instances/{row.storage_key}" not in removed:
            damaged.append(row.sop_instance_uid)
    return whole, tuple(damaged)


def _instances(database: Database) -> Iterator[InstanceRow]:
    last = 0
    while True:
        statement = select(InstanceRow).where(
            col(InstanceRow.id) > last, col(InstanceRow.bytes_removed_at).is_(None)
        )
        with database.reading() as session:
            rows = session.exec(statement.order_by(col(InstanceRow.id)).limit(_ROWS)).all()
        if not rows:
            return
        yield from rows
        last = key_of(rows[-1])
