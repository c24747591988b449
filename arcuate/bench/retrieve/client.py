"""`python -m arcuate.bench.retrieve.client`: one client, which asks and takes as fast as it can.

A process of its own, so that clients do not share a processor's turn. Its request is a JSON object
on standard input, its answer one on standard output.
"""

import http.client
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

_BUFFER_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Wish:
    """What a client asks for, `repeats` times; `{frame}` in the path is a frame's number."""

    host: str
    port: int
    path: str
    headers: Mapping[str, str]
    repeats: int
    frames: int


@dataclass(frozen=True)
class Got:
    """What came: bytes in all, how long each answer took, and from when to when, in seconds.

    The clock is one for all processes of the machine.
    """

    length: int
    seconds: tuple[float, ...]
    begun: float
    ended: float


def ask(wish: Wish) -> Got:
    """Ask, one request after the other, on one connection.

    Raises
    ------
    OSError
        If an answer is not 200.
    """
    connection = http.client.HTTPConnection(wish.host, wish.port, timeout=120)
    buffer, length, seconds = bytearray(_BUFFER_BYTES), 0, []
    started = time.monotonic()
    for turn in range(wish.repeats):
        # Frames far from each other: what lies side by side would be in a cache.
        path = wish.path.replace("{frame}", str(turn * 37 % wish.frames + 1))
        begun = time.perf_counter()
        connection.request("GET", path, headers=dict(wish.headers))
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise OSError(f"{path} was answered {answer.status}")
        while received := answer.readinto(buffer):
            length += received
        seconds.append(time.perf_counter() - begun)
    return Got(length, tuple(seconds), started, time.monotonic())


def main() -> None:
    """Carry out the request of standard input."""
    got = ask(Wish(**json.loads(sys.stdin.read())))
    sys.stdout.write(json.dumps(asdict(got)))


if __name__ == "__main__":
    main()
