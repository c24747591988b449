"""How many searches a process does at a time: the others wait their turn, and not too many do.

Each holds a connection to the database, of which those who store and look up need theirs, and each
that waits holds a thread that answers requests.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Final

from fastapi import Depends, Request

from api.errors import TooManySearches

#: As many as C-FIND does in a process of `receive`.
AT_A_TIME: Final = 4
#: Of the threads that answer requests, most are left to the others.
MOST_WAITING: Final = 16
#: A viewer has given up by then.
PATIENCE_SECONDS: Final = 30.0


class SearchPlaces:
    """The places of those who search.

    Attributes
    ----------
    waiting
        How many wait for one.
    """

    def __init__(
        self,
        at_a_time: int = AT_A_TIME,
        most_waiting: int = MOST_WAITING,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._free, self._most_waiting = at_a_time, most_waiting
        self._patience = patience_seconds
        self._change = threading.Condition()
        self.waiting = 0

    @contextmanager
    def taken(self) -> Generator[None]:
        """Wait for a place, and hold it.

        Raises
        ------
        TooManySearches
            If too many wait already, or none came free in time.
        """
        with self._change:
            # Whoever waits goes first.
            if not self._free or self.waiting:
                self._wait()
            self._free -= 1
        try:
            yield
        finally:
            with self._change:
                self._free += 1
                self._change.notify()

    def _wait(self) -> None:
        if self.waiting >= self._most_waiting:
            raise TooManySearches
        self.waiting += 1
        try:
            if not self._change.wait_for(lambda: self._free > 0, self._patience):
                raise TooManySearches
        finally:
            self.waiting -= 1


async def _places(request: Request) -> SearchPlaces:
    places: SearchPlaces = request.app.state.search_places
    return places


#: A route's parameter: the places of its process.
SearchPlacesParameter = Annotated[SearchPlaces, Depends(_places)]
