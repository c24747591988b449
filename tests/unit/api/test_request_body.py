import asyncio
from collections.abc import Iterable

import pytest
from starlette.types import Message

from api.errors import BodyTooLarge
from api.request_body import RequestBody

MIB = 1 << 20
START: Message = {"type": "http.response.start", "status": 401, "headers": []}


def chunk(content: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": content, "more_body": more}


class Client:
    """Sends these messages, then stalls; gathers what it is answered."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._messages = iter(messages)
        self.asked = 0
        self.answers: list[Message] = []

    async def receive(self) -> Message:
        self.asked += 1
        for message in self._messages:
            return message
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def send(self, message: Message) -> None:
        self.answers.append(message)


def answer_unread(client: Client, limit: int = 100 * MIB) -> list[tuple[bytes, bytes]]:
    """Answer without having read anything; return the headers of the answer."""
    send = RequestBody(client.receive, limit).read_out_before(client.send)
    asyncio.run(send({**START, "headers": []}))  # type: ignore[arg-type]
    [answer] = client.answers
    return list(answer["headers"])


def test_small_body_is_read_out_and_the_connection_goes_on() -> None:
    client = Client([chunk(b"a" * MIB), chunk(b"b", more=False)])

    assert answer_unread(client) == []
    assert client.asked == 2


def test_client_that_is_gone_is_waited_for_no_longer() -> None:
    assert answer_unread(Client([{"type": "http.disconnect"}])) == []


def test_endless_body_is_cut_off_after_a_little() -> None:
    client = Client(chunk(b"x" * MIB) for _ in range(1000))

    assert answer_unread(client) == [(b"connection", b"close")]
    assert client.asked == 4


def test_stalling_client_is_cut_off() -> None:
    assert answer_unread(Client([chunk(b"x")])) == [(b"connection", b"close")]


def test_body_beyond_the_limit_is_refused_and_read_no_further() -> None:
    client = Client([chunk(b"12345"), chunk(b"6"), chunk(b"7")])
    body = RequestBody(client.receive, limit=5)

    assert asyncio.run(body.receive()) == chunk(b"12345")
    with pytest.raises(BodyTooLarge):
        asyncio.run(body.receive())

    asyncio.run(body.read_out_before(client.send)({**START, "headers": []}))  # type: ignore[arg-type]
    assert client.asked == 2
    assert client.answers[0]["headers"] == [(b"connection", b"close")]
