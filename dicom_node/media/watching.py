"""Taking in what devices put into a folder, each file once it is whole.

Order makes it safe. A file that is whole is moved out of its device's reach, then kept (bytes and
rows durable), then moved to `taken`. Whoever dies between two of these steps, or restarts, or works
on the same folder at the same time finds it in one place and does the rest: keeping the same again
is no new work.
"""

import errno
import math
import os
import stat
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from structlog.contextvars import bind_contextvars, get_contextvars

from core.clock import Clock, utc_now
from core.errors import InfrastructureError, NodeError
from core.logs import get_logger
from core.values.audit import Actor
from dicom_node.errors import (
    FileInvalid,
    InstanceRefused,
    InvalidInstance,
    ObjectTooLarge,
)
from dicom_node.media.digesting import DigestingReader, digest_of
from dicom_node.media.places import Places
from dicom_node.media.refusal import list_refused
from dicom_node.media.sightings import Sighting, Sightings, Stamp
from dicom_node.media.taking import take_file
from dicom_node.media.whole import check_whole
from dicom_node.storage.archive import Archive
from dicom_node.storage.refused_stores import LISTED
from dicom_node.store_entries import BATCH, StoreEntries

#: What stands where a calling AE title goes.
SENDER: Final = "watched folder"
SCAN_SECONDS: Final = 1.0
#: When a file that could not be read or moved is tried again.
RETRY_SECONDS: Final = 60.0
_CLEAN_SECONDS: Final = 3600.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
#: Files taken at a time: stores that come at once share syncs and transaction.
_AT_ONCE: Final = 4
_FOR_READING_ONLY: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
#: Opening must neither follow a link nor wait for a pipe's other end.
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK

_log = get_logger(__name__)


class _NotYet(Exception):
    """The file is not whole, or not the one that was seen."""


class FolderWatch:
    """Watches one folder.

    Parameters
    ----------
    settle_seconds
        How long a file must not have changed.
    patience_seconds
        How long one that is not whole may stay so before it is refused.
    keep_days
        How long what was taken stays in `taken`; 0 removes it at once.
    """

    def __init__(
        self,
        archive: Archive,
        folder: Path,
        settle_seconds: float,
        patience_seconds: float,
        keep_days: int,
        clock: Clock = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._archive = archive
        self._sightings = Sightings(folder, settle_seconds, patience_seconds, monotonic)
        self._places = Places(folder, keep_days, clock)
        self._entries = StoreEntries(archive.database, Actor("arcuate", "watch"), SENDER)
        self._clock = clock
        self._monotonic = monotonic
        self._clean_at = monotonic()
        self._is_away = False
        self._stopping = threading.Event()
        #: Inodes of files whose trouble was told.
        self._told: set[int] = set()

    def run(self, stopping: threading.Event) -> None:
        """Watch until asked to stop; while disk, database or folder are away, wait for them."""
        pause, self._stopping = SCAN_SECONDS, stopping
        # Their log lines say which role they are of, too.
        begin = partial(bind_contextvars, **get_contextvars())
        with ThreadPoolExecutor(_AT_ONCE, "take", begin) as threads:
            while not stopping.is_set():
                try:
                    self.turn(threads)
                    pause = SCAN_SECONDS
                except InfrastructureError as error:
                    pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                    _log.warning("infrastructure_away", error=str(error), pause_seconds=pause)
                stopping.wait(pause)

    def turn(self, threads: ThreadPoolExecutor) -> None:
        """Look once, and take what is due.

        Raises
        ------
        StorageFull, StorageAway, DatabaseAway
            If nothing can be kept now; what was not kept is tried again.
        """
        try:
            due = self._sightings.look()
        except OSError as error:
            self._tell_away(error)
            return
        if self._is_away:
            self._is_away = False
            _log.info("watch_folder_back")
        try:
            for _ in threads.map(self._take, due):
                self._entries.write(BATCH)
        finally:
            self._entries.write()
        self._clean()

    def _take(self, sighting: Sighting) -> None:
        if self._stopping.is_set():
            # The rest waits for the next start.
            return
        try:
            self._take_one(sighting)
        except (FileNotFoundError, _NotYet):
            # Another program took it or writes to it; the next look shows what is there.
            return
        except InfrastructureError:
            raise
        except OSError as error:
            self._put_off(sighting, error.strerror or type(error).__name__)
        # The last frame for this file: one that breaks our reading must not hold up all others.
        except Exception as error:  # noqa: BLE001
            self._put_off(sighting, type(error).__name__)

    def _take_one(self, sighting: Sighting) -> None:
        with _opened(sighting) as file:
            cause = self._judge(file, sighting)
            path = self._claim(sighting)
            # What was written to while it was read is a mixture, and would be the record for good.
            reader = DigestingReader(file, partial(_check_unchanged, file, sighting))
            if cause is not None:
                list_refused(self._archive, file, cause, SENDER, self._clock)
            else:
                cause = self._keep(file, reader, sighting)
            if path is None:
                # For reading only: it lies where it lay, and is not looked at again.
                sighting.not_before = math.inf
                return
            was_read = reader.size_bytes == sighting.stamp.size_bytes
            self._put_away(path, reader.digest if was_read else digest_of(file), cause)

    def _judge(self, file: BinaryIO, sighting: Sighting) -> NodeError | None:
        """Return why a file is given up; None where it is whole."""
        try:
            check_whole(file, self._archive.maximum_object_bytes)
        except (FileInvalid, InvalidInstance) as fault:
            if self._sightings.is_given_up(sighting):
                return fault
            sighting.is_judged = True
            raise _NotYet from fault
        except ObjectTooLarge as fault:
            return fault
        return None

    def _claim(self, sighting: Sighting) -> Path | None:
        """Move the file out of its device's reach; None where the folder is for reading only."""
        try:
            path = self._places.claim(sighting.path)
        except OSError as error:
            if error.errno not in _FOR_READING_ONLY:
                raise
            self._tell(sighting, f"cannot be moved: {error.strerror}")
            return None
        if Stamp.of(path.stat(follow_symlinks=False)) != sighting.stamp:
            raise _NotYet
        return path

    def _keep(
        self, file: BinaryIO, reader: DigestingReader, sighting: Sighting
    ) -> NodeError | None:
        """Keep it; return why it is refused instead, None where it is kept."""
        taken = take_file(self._archive, reader, sighting.path, SENDER)
        if taken.is_instance:
            self._entries.count(taken.study_instance_uid, is_kept=taken.cause is None)
        _check_unchanged(file, sighting)
        if taken.cause is not None and not isinstance(taken.cause, (InstanceRefused, *LISTED)):
            # The archive keeps aside, or lists, itself what it could read.
            list_refused(self._archive, file, taken.cause, SENDER, self._clock)
        return taken.cause

    def _put_away(self, path: Path, digest: str, cause: NodeError | None) -> None:
        if cause is None:
            self._places.put_to_taken(path, digest)
            _log.info("watch_taken", digest=digest)
        else:
            self._places.put_to_refused(path, digest, str(cause))
            _log.warning("watch_refused", digest=digest, cause=str(cause))

    def _put_off(self, sighting: Sighting, cause: str) -> None:
        sighting.not_before = self._monotonic() + RETRY_SECONDS
        self._tell(sighting, cause)

    def _tell(self, sighting: Sighting, cause: str) -> None:
        """Tell a trouble once, by a number that names nobody: `find -inum` shows the file."""
        inode = sighting.stamp.inode
        if inode not in self._told:
            self._told.add(inode)
            _log.warning("watch_file_stays", inode=inode, cause=cause)

    def _tell_away(self, error: OSError) -> None:
        if not self._is_away:
            self._is_away = True
            _log.error("watch_folder_away", cause=error.strerror)

    def _clean(self) -> None:
        if self._monotonic() < self._clean_at:
            return
        self._clean_at = self._monotonic() + _CLEAN_SECONDS
        try:
            self._places.clean()
        except OSError as error:
            _log.warning("watch_not_cleaned", cause=error.strerror)


def _check_unchanged(file: BinaryIO, sighting: Sighting) -> None:
    if Stamp.of(os.fstat(file.fileno())) != sighting.stamp:
        raise _NotYet


@contextmanager
def _opened(sighting: Sighting) -> Generator[BinaryIO]:
    descriptor = os.open(sighting.path, _FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or Stamp.of(status) != sighting.stamp:
            raise _NotYet
        yield file
