"""The change feed as it grows: server-sent events, and the way back after a break."""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Final

from arcuate_client.connection import Connection
from arcuate_client.errors import Refused, Unreachable
from arcuate_client.types import Change

_PATH: Final = "/v1/events"
#: What a server says by `retry` counts; this holds until it does.
_RETRY_SECONDS: Final = 2.0
_LONGEST_RETRY_SECONDS: Final = 60.0
_UNAVAILABLE: Final = 503


class EventStream:
    """Changes from a number on, without gap or duplicate, however often the connection breaks.

    Parameters
    ----------
    after
        Number of the last change that is known, 0 for all; None: from now on.
    """

    def __init__(self, connection: Connection, after: int | None) -> None:
        self._connection = connection
        self._after = after
        self._retry_seconds = _RETRY_SECONDS

    @property
    def position(self) -> int | None:
        """Number of the last change that came; keep it to go on another day."""
        return self._after

    def __iter__(self) -> Iterator[Change]:
        """Return each change as it comes; ends only when the node refuses, by an error."""
        wait = 0.0
        while True:
            time.sleep(wait)
            before = self._after
            try:
                yield from self._once()
            except Unreachable:
                pass
            except Refused as refusal:
                if refusal.status != _UNAVAILABLE:
                    raise
            # Longer each time that nothing came.
            is_moving = wait == 0.0 or self._after != before
            longer = self._retry_seconds if is_moving else 2 * wait
            wait = min(longer, _LONGEST_RETRY_SECONDS)

    def _once(self) -> Iterator[Change]:
        parameters = {} if self._after is None else {"after": str(self._after)}
        with self._connection.stream(_PATH, parameters) as answer:
            yield from self._changes(answer.iter_lines())

    def _changes(self, lines: Iterable[str]) -> Iterator[Change]:
        """Return the changes of one connection, as the HTML standard says to read them."""
        data: list[str] = []
        for line in lines:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line and data:
                change: Change = json.loads("\n".join(data))
                data = []
                self._after = change["number"]
                yield change
            elif name == "data":
                data.append(value)
            elif name == "id" and value.isdigit() and not data:
                # Before its data: it counts once the event is whole, or where none follows.
                self._note_position(int(value))
            elif name == "retry" and value.isdigit():
                self._retry_seconds = int(value) / 1000

    def _note_position(self, number: int) -> None:
        if self._after is None:
            self._after = number
