"""A stream of changes by itself, without a server."""

import asyncio

from api.events.streams import EventStream, EventStreams
from arcuate.waiting import wait_until
from core.changes import append_change
from core.database import Database
from core.tables.changes import ChangeKind


def test_what_happens_while_the_caller_is_checked_is_told_at_once(database: Database) -> None:
    streams = EventStreams(database, 1, heartbeat_seconds=0.0)

    def recheck() -> None:
        with database.transaction() as session:
            append_change(session, ChangeKind.INSTANCE_RECEIVED, "1.2.3")
        assert wait_until(lambda: streams.tail.last == 1, 60)
        streams.heartbeat_seconds = 60.0

    async def listen() -> list[bytes]:
        await streams.tail.join()
        try:
            events = EventStream(streams, 0, recheck).body_iterator
            return [await asyncio.wait_for(anext(events), 20) for _ in range(3)]
        finally:
            streams.tail.leave()

    _, heartbeat, event = asyncio.run(listen())

    assert b"heartbeat" in heartbeat
    assert b"1.2.3" in event
