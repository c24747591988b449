"""Making what was written survive a power cut: bytes, and names in folders, many at once."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from dicom_node.storage.unfinished import Unfinished

FOLDER_MODE: Final = 0o750
#: Files or folders synced at the same time.
_AT_ONCE: Final = 8

_Synced = TypeVar("_Synced")


class Syncing:
    """Syncs below one folder; its methods raise OSError."""

    def __init__(self, root: Path) -> None:
        self._root = root
        #: Folders whose own names are known to survive a power cut.
        self._settled: set[str] = set()
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="sync")

    def note_settled(self, folders: Iterable[str]) -> None:
        """Take note of folders whose names are synced already."""
        self._settled.update(folders)

    def make_missing(self, folders: Iterable[str]) -> None:
        """Make those of the folders that are not known to be there."""
        for folder in folders:
            if folder not in self._settled:
                make_folder(Path(folder))

    def sync_files(self, files: Sequence[Unfinished]) -> None:
        """Return when the bytes of all survive a power cut."""
        self._at_once(Unfinished.sync, files)

    def sync_folders(self, folders: Sequence[str]) -> None:
        """Return when the names in all of them survive a power cut, and their own."""
        self._at_once(self._sync_up_to_root, folders)

    def _at_once(self, sync: Callable[[_Synced], None], each: Sequence[_Synced]) -> None:
        # The file system's journal takes those that come at once together: side by side they take
        # hardly longer than one.
        sync_each = map if len(each) <= 1 else self._threads.map
        list(sync_each(sync, each))

    def _sync_up_to_root(self, folder: str) -> None:
        sync_folder(folder)
        if folder in self._settled:
            return
        # Another thread may have made a folder on the way and not synced its parent yet; once that
        # was done here, the names of these folders are safe for good.
        for parent in Path(folder).parents:
            sync_folder(parent)
            if parent == self._root:
                break
        self._settled.add(folder)


def make_folder(folder: Path) -> None:
    """Make a folder whose name survives a power cut, and each missing one above it."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=FOLDER_MODE, exist_ok=True)
        sync_folder(path.parent)


def sync_folder(folder: Path | str) -> None:
    """Return when the names in a folder, and their absence, survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
