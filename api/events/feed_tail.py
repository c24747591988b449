"""The newest changes, read once for all who listen in this process."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import Final

from starlette.concurrency import run_in_threadpool

from api.events.encoding import encode_change
from core.changes import changes_after, last_change
from core.database import Database
from core.errors import InfrastructureError
from core.logs import get_logger

#: How often the record is asked for news while anyone listens: one row by its key.
POLL_SECONDS: Final = 0.2
#: Pause while the database is away.
_PAUSE_SECONDS: Final = 2.0
#: Changes read at a time, and those that are held for listeners who are about to take them.
BATCH_SIZE: Final = 500
_HELD: Final = 2000

_log = get_logger(__name__)


class FeedTail:
    """Follows the feed while anyone listens; belongs to the event loop of the server.

    However many listen, the record is asked by one. Whoever lags behind what is held here reads
    the rest from the record, so that a slow listener costs no memory.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: deque[bytes] = deque(maxlen=_HELD)
        #: Number of the last change known here; those held end with it.
        self.last = 0
        self._news = asyncio.Event()
        self._listeners = 0
        self._following: asyncio.Task[None] | None = None

    async def join(self) -> int:
        """Begin to listen; return the number of the last change there is."""
        last = await run_in_threadpool(self._read_last)
        self._listeners += 1
        if self._following is None:
            self._held.clear()
            self.last = last
            self._following = asyncio.create_task(self._follow())
        return last

    def leave(self) -> None:
        """Listen no more; nobody asks the record once all have left."""
        self._listeners -= 1
        if self._listeners == 0 and self._following is not None:
            self._following.cancel()
            self._following = None

    async def after(self, number: int) -> Sequence[bytes]:
        """Return the next changes after a number as events, in order; empty where none is there.

        Raises
        ------
        InfrastructureError
            If they must be read from the record and it does not answer.
        """
        behind = self.last - number
        if behind <= 0:
            return ()
        if behind <= len(self._held):
            return tuple(islice(self._held, len(self._held) - behind, None))
        return await run_in_threadpool(self._read_after, number)

    async def wait(self, seconds: float) -> None:
        """Return when there is news, or after that time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    def wake(self) -> None:
        """Let every listener look up."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(await self._look())

    async def _look(self) -> float:
        """Take what is new; return how long to wait until the next look."""
        try:
            fresh = await run_in_threadpool(self._read_after, self.last)
        except InfrastructureError as error:
            _log.warning("infrastructure_away", error=str(error), pause_seconds=_PAUSE_SECONDS)
            return _PAUSE_SECONDS
        if fresh:
            self._held.extend(fresh)
            self.last += len(fresh)
            self.wake()
        return 0.0 if len(fresh) == BATCH_SIZE else POLL_SECONDS

    def _read_last(self) -> int:
        with self._database.reading() as session:
            return last_change(session)

    def _read_after(self, number: int) -> Sequence[bytes]:
        with self._database.reading() as session:
            # Numbers have no gaps, so that the last one read is known by counting.
            if last_change(session) <= number:
                return ()
            return [encode_change(row) for row in changes_after(session, number, BATCH_SIZE)]
