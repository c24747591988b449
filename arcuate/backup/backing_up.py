"""Making a back-up of a node while it works.

The record first, then the files. A file is durable before the record names it, and removed only
after the record no longer does: so whatever the copy of the record names was there when it was
made, and what came since is a file too many, which does no harm. The other way round, what came
between the two would be named and missing.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from arcuate.audited import record_act
from arcuate.backup.contents import files_in, folders_of, recorded_files
from arcuate.backup.errors import BackupElsewhere, BucketNotCopied
from arcuate.backup.files import Copied, Earlier, copy_file, digest_of, make_folder
from arcuate.backup.manifest import DIGESTS, Manifest, read_digests, read_manifest
from arcuate.backup.record import COPIES, copy_record, kind_of
from arcuate.node import Node
from core.audit.keyed_note import NOTE_NAME
from core.clock import utc_now
from core.migrations.schema import schema_revision
from core.values.audit import AuditAction

Tracked = Callable[[Iterable[tuple[str, Path]]], Iterable[tuple[str, Path]]]


@dataclass(frozen=True)
class BackedUp:
    """How a back-up ended.

    Attributes
    ----------
    linked
        How many files are those of the earlier back-up.
    lost
        Files that the node's record names and its storage does not have: the archive is damaged.
    """

    manifest: Manifest
    linked: int
    lost: tuple[str, ...]


def back_up(
    node: Node, folder: Path, earlier: Path | None, with_files: bool, tracked: Tracked
) -> BackedUp:
    """Write record, instances, quarantine and models into an empty folder.

    Parameters
    ----------
    earlier
        A back-up on the same disk, whose files are named again instead of copied.
    with_files
        False for the record alone, where the files are kept safe in another way.

    Raises
    ------
    BackupElsewhere
        If the folder is not empty.
    BackupIncomplete
        If the earlier one is not whole.
    BucketNotCopied
        If files are asked for that lie in a bucket.
    """
    if with_files and node.settings.is_bucket:
        raise BucketNotCopied
    make_folder(folder)
    if any(folder.iterdir()):
        raise BackupElsewhere(f"{folder} is not empty; a back-up needs a folder of its own")
    before = _open_earlier(earlier)
    record_act(node.database, AuditAction.EXPORT, "backup")
    # Before the record: a note of an entry that this record lacks would be of another trail.
    note = _copy_note(node.settings.home, folder)
    made_at, kind = utc_now(), kind_of(node.database)
    named = copy_record(node.database, folder / COPIES[kind])
    files = list(_copy_all(node, folder, before, tracked)) if with_files else []
    lost, removed = _missing(node, named - {copied.path for copied, _ in files}, with_files)
    manifest = Manifest(
        version=version("arcuate"),
        schema=schema_revision(node.database) or "",
        database=kind,
        made_at=made_at.isoformat(),
        files=len(files),
        size_bytes=sum(copied.size_bytes for copied, _ in files),
        has_files=with_files,
        removed=removed,
    )
    record = Copied(COPIES[kind], digest_of(folder / COPIES[kind]), 0)
    _close(folder, [record, *note, *(copied for copied, _ in files)], manifest)
    return BackedUp(manifest, sum(is_linked for _, is_linked in files), lost)


def _open_earlier(folder: Path | None) -> Earlier | None:
    if folder is None:
        return None
    read_manifest(folder)
    return Earlier(folder, read_digests(folder))


def _copy_note(home: Path, folder: Path) -> list[Copied]:
    """Copy the note from which entry on the audit trail has its key, where there is one."""
    try:
        return [copy_file(NOTE_NAME, home / NOTE_NAME, folder / NOTE_NAME)]
    except FileNotFoundError:
        return []


def _copy_all(
    node: Node, folder: Path, earlier: Earlier | None, tracked: Tracked
) -> Iterator[tuple[Copied, bool]]:
    """Copy every file; yield each with whether it is one of the earlier back-up."""
    for path, source in tracked(_files_of(node)):
        target = folder / path
        linked = earlier.link(path, source, target) if earlier is not None else None
        if linked is not None:
            yield linked, True
            continue
        try:
            yield copy_file(path, source, target), False
        except FileNotFoundError:
            # Removed since it was listed; whether the record still names it is looked at later.
            continue


def _files_of(node: Node) -> Iterator[tuple[str, Path]]:
    for name, root in folders_of(node.settings).items():
        for below in files_in(root):
            yield f"{name}/{below}", root / below


def _missing(
    node: Node, paths: set[str], with_files: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which files are lost, and which were removed in order since the record was read."""
    if not paths or not with_files:
        return (), ()
    with node.database.reading() as session:
        still_named = paths.intersection(recorded_files(session.connection()))
    return tuple(sorted(still_named)), tuple(sorted(paths - still_named))


def _close(folder: Path, files: Iterable[Copied], manifest: Manifest) -> None:
    lines = [f"{copied.digest}  {copied.path}\n" for copied in files]
    (folder / DIGESTS).write_text("".join(lines), "utf-8")
    # All of it is on the disk before the note says that it is whole.
    os.sync()
    manifest.write(folder)
    os.sync()
