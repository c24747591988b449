"""The streams of a process: how many there are, how each goes on and how it ends."""

from collections.abc import AsyncGenerator, Callable
from time import monotonic
from typing import Final

from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from api.errors import (
    HostRefused,
    LoginWithoutRole,
    NotSignedIn,
    PositionUnknown,
    RoleMissing,
    TooManyStreams,
)
from api.events.encoding import encode_position
from api.events.feed_tail import FeedTail
from core.database import Database
from core.errors import InfrastructureError
from core.logs import get_logger

MEDIA_TYPE: Final = "text/event-stream"
#: Longest silence on a stream: proxies cut off connections on which nothing moves for a minute.
HEARTBEAT_SECONDS: Final = 15.0
#: How long a client that lost its stream waits before it comes back.
_RETRY_MS: Final = 2000

#: Raises if its caller may listen no longer.
Recheck = Callable[[], object]

#: Why a caller may listen no longer.
_NO_LONGER: Final = (NotSignedIn, LoginWithoutRole, RoleMissing, HostRefused)

_log = get_logger(__name__)


class EventStreams:
    """Opens streams of the change feed, and ends them all when the node stops.

    Parameters
    ----------
    most
        Streams at a time.
    heartbeat_seconds
        Longest silence on a stream, and how often its caller is checked again.
    """

    def __init__(
        self, database: Database, most: int, heartbeat_seconds: float = HEARTBEAT_SECONDS
    ) -> None:
        self.tail = FeedTail(database)
        self.heartbeat_seconds = heartbeat_seconds
        self.is_closed = False
        self._most = most
        self._open = 0

    async def open(self, after: int | None, recheck: Recheck) -> "EventStream":
        """Return a stream of the changes after a number, or of those to come where it is None.

        Raises
        ------
        TooManyStreams
            If all places are taken.
        PositionUnknown
            If no change has that number yet.
        """
        if self._open >= self._most:
            raise TooManyStreams
        self._open += 1
        try:
            last = await self.tail.join()
        except BaseException:
            self._open -= 1
            raise
        if after is not None and after > last:
            self.give_back()
            raise PositionUnknown(last)
        return EventStream(self, last if after is None else after, recheck)

    def close(self) -> None:
        """End every stream; clients come back to the next process where they were."""
        self.is_closed = True
        self.tail.wake()

    def give_back(self) -> None:
        """Free the place of a stream."""
        self._open -= 1
        self.tail.leave()


class EventStream(StreamingResponse):
    """One client's stream of changes, from a number on."""

    media_type = MEDIA_TYPE

    def __init__(self, streams: EventStreams, position: int, recheck: Recheck) -> None:
        super().__init__(self._events(position))
        self._streams = streams
        self._recheck = recheck

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it until the client leaves or the node stops."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.give_back()

    async def _events(self, position: int) -> AsyncGenerator[bytes]:
        yield encode_position(position, "open", _RETRY_MS)
        quiet_since = monotonic()
        while not self._streams.is_closed:
            try:
                events = await self._streams.tail.after(position)
                if monotonic() - quiet_since >= self._streams.heartbeat_seconds:
                    await run_in_threadpool(self._recheck)
                    quiet_since = monotonic()
                    yield encode_position(position, "heartbeat")
                    # What happened during the check has woken nobody.
                    continue
            except (InfrastructureError, *_NO_LONGER) as error:
                # The client comes back where it was, and is answered with the cause.
                _log.info("event_stream_ended", cause=type(error).__name__)
                return
            if events:
                position += len(events)
                yield b"".join(events)
            else:
                await self._streams.tail.wait(self._streams.heartbeat_seconds)
