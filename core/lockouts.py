"""Pauses for addresses that show wrong keys: each further one doubles the pause.

Counted in the record, so that every HTTP process agrees and a restart forgets nothing; written
only when something failed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, select

from core.access_settings import AccessSettings
from core.errors import RecordNotFound
from core.tables.login_failures import LoginFailureRow

#: An address is forgotten after this long without a failure.
FORGOTTEN_AFTER: Final = timedelta(hours=1)
#: Whoever has an IPv6 address has as a rule the 2^64 beside it, too.
_IPV6_PREFIX: Final = 64


@dataclass(frozen=True)
class Pauses:
    """How many failures are free, and how long the pauses are after them, in seconds."""

    free_failures: int
    first_seconds: float
    longest_seconds: float

    def after(self, failures: int) -> float:
        """Return the pause after that many failures; 0 for none."""
        if failures < self.free_failures:
            return 0.0
        # Beyond 2^60 nothing is longer than the longest anyway.
        doublings = min(failures - self.free_failures, 60)
        return min(self.first_seconds * 2.0**doublings, self.longest_seconds)


def pauses_of(settings: AccessSettings) -> Pauses:
    """Return the pauses that the settings say."""
    return Pauses(
        settings.login_failures,
        settings.login_pause_seconds,
        settings.login_longest_pause_seconds,
    )


def network_of(address: str) -> str:
    """Return by what an address is counted: itself, or the /64 an IPv6 address lies in."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    bits = 128 - _IPV6_PREFIX
    return f"{IPv6Address(int(found) >> bits << bits)}/{_IPV6_PREFIX}"


def record_failure(
    session: Session, address: str, pauses: Pauses, now: datetime
) -> LoginFailureRow:
    """Count a wrong key or login in the caller's transaction; return how things stand since."""
    _forget(session, now)
    row = _count(session, network_of(address), now)
    pause = pauses.after(row.failures)
    if pause:
        row.paused_until = now + timedelta(seconds=pause)
        session.add(row)
        session.flush()
    return row


def _count(session: Session, network: str, now: datetime) -> LoginFailureRow:
    # In one statement: two processes may count the first failure of an address at once.
    insert = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    statement = insert(LoginFailureRow).values(
        address=network, failures=1, first_failed_at=now, last_failed_at=now
    )
    again = {"failures": col(LoginFailureRow.failures) + 1, "last_failed_at": now}
    counted = statement.on_conflict_do_update(index_elements=["address"], set_=again)
    session.execute(counted)
    return session.get_one(LoginFailureRow, network, populate_existing=True)


def remaining_pause(session: Session, address: str, now: datetime) -> float:
    """Return for how long an address must still pause, in seconds; 0 where it need not."""
    row = session.get(LoginFailureRow, network_of(address))
    if row is None or row.paused_until is None:
        return 0.0
    return max(0.0, (row.paused_until - now).total_seconds())


def list_failures(session: Session) -> Sequence[LoginFailureRow]:
    """Return every address that lately failed, the latest first."""
    latest = col(LoginFailureRow.last_failed_at).desc()
    return session.exec(select(LoginFailureRow).order_by(latest)).all()


def forgive(session: Session, address: str) -> None:
    """Let an address begin anew.

    Raises
    ------
    RecordNotFound
        If it did not fail lately.
    """
    row = session.get(LoginFailureRow, address) or session.get(LoginFailureRow, network_of(address))
    if row is None:
        raise RecordNotFound("That address has not failed; `arcuate keys failures` lists them")
    session.delete(row)


def _forget(session: Session, now: datetime) -> None:
    last_failed_at = col(LoginFailureRow.last_failed_at)
    session.execute(delete(LoginFailureRow).where(last_failed_at <= now - FORGOTTEN_AFTER))
