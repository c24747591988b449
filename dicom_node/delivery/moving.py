"""Moving to the bucket what came into the folder before it."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from time import monotonic
from typing import Final

from core.errors import InfrastructureError
from core.logs import get_logger
from core.worker import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
from dicom_node.errors import ObjectUnreadable, StorageAway
from dicom_node.storage.bucket_storage import BucketStorage

#: How often the folder is looked through where nothing waits.
_LOOK_SECONDS: Final = 1.0
#: Objects on their way at a time.
_AT_ONCE: Final = 4
#: After this long what could not be moved, though folder and bucket answer, is tried again.
_AGAIN_SECONDS: Final = 60.0
#: Where so many are refused in one round, it is not they that something is wrong with.
_MOST_REFUSED: Final = 8

_log = get_logger(__name__)


class Mover:
    """Moves whatever waits; several of them, in one process or many, do no harm."""

    def __init__(self, storage: BucketStorage, stopping: threading.Event) -> None:
        self._storage = storage
        self._stopping = stopping
        self._pause_seconds = FIRST_PAUSE_SECONDS
        #: Damaged objects that were told of, and when their files were written: a file is looked at
        #: again once another took its place.
        self._damaged: dict[str, int] = {}
        #: Objects that were refused for another reason, and when they are tried again (monotonic).
        self._again_at: dict[str, float] = {}
        self._refused = 0

    def run(self) -> None:
        """Move until asked to stop; pause, longer each time, while the bucket is away."""
        while not self._stopping.is_set():
            try:
                self.move_waiting()
            except InfrastructureError as error:
                _log.warning(
                    "objects_wait", error=str(error), pause_seconds=round(self._pause_seconds, 1)
                )
                self._stopping.wait(self._pause_seconds)
                self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
            else:
                self._pause_seconds = FIRST_PAUSE_SECONDS
                self._stopping.wait(_LOOK_SECONDS)

    def move_waiting(self) -> int:
        """Move what waits now; return how many objects went.

        Raises
        ------
        StorageAway
            If folder or bucket does not answer, or many are refused; the rest waits, too.
        """
        moved = self._refused = 0
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="move") as pool:
            for batch in self._batches():
                moved += sum(pool.map(self._move, batch))
        if moved:
            _log.info("objects_moved", objects=moved)
        return moved

    def _batches(self) -> Iterator[Sequence[str]]:
        keys = self._storage.waiting_keys()
        while (batch := list(islice(keys, _AT_ONCE))) and not self._stopping.is_set():
            yield batch

    def _move(self, key: str) -> bool:
        if monotonic() < self._again_at.get(key, 0.0):
            return False
        try:
            is_moved = self._move_unless_damaged(key)
        except StorageAway as error:
            self._pass_over(key, error)
            return False
        self._again_at.pop(key, None)
        return is_moved

    def _move_unless_damaged(self, key: str) -> bool:
        written = self._storage.written(key)
        if self._damaged.get(key) == written:
            return False
        try:
            return self._storage.move(key)
        except ObjectUnreadable as error:
            self._damaged[key] = written
            _log.error("object_not_moved", storage_key=key, error=str(error))
            return False

    def _pass_over(self, key: str, error: StorageAway) -> None:
        """Go on with others where only this object is refused; raise where it is not only that."""
        self._storage.reach()
        self._again_at[key] = monotonic() + _AGAIN_SECONDS
        _log.error("object_not_moved", storage_key=key, error=str(error))
        self._refused += 1
        if self._refused >= _MOST_REFUSED:
            raise error
