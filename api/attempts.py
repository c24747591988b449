"""Attempts to be let in: wrong ones are counted by address, and after some of them it must pause.

Whoever is known already goes on: a session that is open, a key that was right from that address
before, a token of the provider. So nobody can lock out those who work behind the same proxy; only
who comes new waits, and the log and `arcuate keys failures` say because of which address.
"""

from fastapi import Request

from api.dependencies import Node, node_of
from api.door import address_of, door_of
from api.errors import AddressPaused, AskedTooOften
from core.clock import utc_now
from core.lockouts import pauses_of, record_failure, remaining_pause
from core.logs import get_logger

_LOG = get_logger(__name__)


def check_attempts(request: Request) -> None:
    """Let an address wait that signs in too often, or showed too many wrong keys.

    Raises
    ------
    AskedTooOften
        If it must.
    """
    address = address_of(request)
    seconds = door_of(request).logins.take(address)
    if seconds:
        raise AskedTooOften(seconds)
    check_pause(node_of(request), address)


def check_pause(node: Node, address: str) -> None:
    """Let an address wait that showed too many wrong keys.

    Raises
    ------
    AddressPaused
        If it must.
    """
    with node.database.reading() as session:
        seconds = remaining_pause(session, address, utc_now())
    if seconds:
        raise AddressPaused(seconds)


def note_failure(node: Node, address: str, what: str) -> None:
    """Count a wrong key, token or login of an address, and say so in the log."""
    pauses = pauses_of(node.settings)
    with node.database.transaction() as session:
        row = record_failure(session, address, pauses, utc_now())
    pause = pauses.after(row.failures)
    # The address as it is counted, and nothing of what was shown.
    log = _LOG.bind(address=row.address, what=what, failures=row.failures)
    if pause:
        log.warning("address_paused", pause_seconds=pause)
    else:
        log.info("credentials_refused")
