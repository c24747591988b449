"""A request's body on its way in: counted, and read out before the answer, so that it is heard.

A server that closes a connection with bytes unread resets it, and the client may lose the answer
that tells why. So a little is read and dropped first; whoever still sends then is cut off.
"""

import asyncio
from contextlib import suppress
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Send

from api.errors import BodyTooLarge

_MOST_DROPPED_BYTES: Final = 4 << 20
_MOST_DROPPING_SECONDS: Final = 2.0


class RequestBody:
    """The body of one request.

    Parameters
    ----------
    limit
        Bytes after which reading on raises BodyTooLarge.
    """

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._received = 0
        self._is_whole = False

    async def receive(self) -> Message:
        """Return the next message of the client.

        Raises
        ------
        BodyTooLarge
            If there is more than the limit.
        """
        message = await self._receive()
        self._received += len(message.get("body", b""))
        # A client that is gone sends no more, either.
        self._is_whole = not message.get("more_body", False)
        if self._received > self._limit:
            raise BodyTooLarge
        return message

    def read_out_before(self, send: Send) -> Send:
        """Return what sends an answer once the body is read, or with the end of the connection."""

        async def send_after_body(message: Message) -> None:
            if message["type"] == "http.response.start" and not await self._is_read_out():
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        return send_after_body

    async def _is_read_out(self) -> bool:
        most = min(self._limit, self._received + _MOST_DROPPED_BYTES)
        with suppress(TimeoutError, BodyTooLarge):
            async with asyncio.timeout(_MOST_DROPPING_SECONDS):
                while not self._is_whole and self._received < most:
                    await self.receive()
        return self._is_whole
