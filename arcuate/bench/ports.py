"""Ports for servers that must be told theirs before they start."""

import itertools
import secrets
import socket
from typing import Final

#: Below what a system gives to connections and to servers that leave the choice to it (from 32768
#: on under Linux, from 49152 on elsewhere): none of those takes one before its server listens.
_PORTS: Final = range(20_000, 32_000)
# Each process begins elsewhere, so that two that run servers at once do not meet.
_numbers: Final = itertools.count(secrets.randbelow(len(_PORTS)))


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on, another one each time."""
    ports = (_PORTS[number % len(_PORTS)] for number in _numbers)
    return next(port for port in ports if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
