"""How a browser signs in: by an API key or a one-time link, and then by a session cookie."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, delete, select, update

from api.errors import LoginRefused
from core.clock import utc_now
from core.keys import Role, digest, find_key, new_secret
from core.tables.keys import KeyRow
from core.tables.logins import BrowserSessionRow, LoginTokenRow

#: A one-time link is meant to be opened at once.
LOGIN_TOKEN_LIFE: Final = timedelta(minutes=10)
#: A working day; afterwards the browser signs in again.
SESSION_LIFE: Final = timedelta(hours=12)


@dataclass(frozen=True)
class Caller:
    """Who asks, and what they may do; `has_session` where a browser is signed in."""

    name: str
    role: Role
    has_session: bool = False


def create_login_token(
    session: Session, role: Role = Role.VIEWER, clock: Callable[[], datetime] = utc_now
) -> str:
    """Record a one-time token in the caller's transaction and return it, for `/login?token=…`.

    Only for someone who already controls this node, such as the terminal that starts it.
    """
    token = new_secret()
    expires_at = clock() + LOGIN_TOKEN_LIFE
    session.add(LoginTokenRow(digest=digest(token), role=role, expires_at=expires_at))
    session.flush()
    return token


def sign_in_with_token(
    session: Session, token: str, clock: Callable[[], datetime] = utc_now
) -> str:
    """Use a one-time token up and return the secret of a new browser session.

    Raises
    ------
    LoginRefused
        If the token is unknown, used or too old.
    """
    # One statement decides, so that of two browsers with one link only the first gets in.
    statement = (
        update(LoginTokenRow)
        .where(
            col(LoginTokenRow.digest) == digest(token),
            col(LoginTokenRow.used_at).is_(None),
            col(LoginTokenRow.expires_at) > clock(),
        )
        .values(used_at=clock())
        .returning(col(LoginTokenRow.role))
    )
    role = session.execute(statement).scalar_one_or_none()
    if role is None:
        raise LoginRefused
    return _open_session(session, role, None, clock())


def sign_in_with_key(session: Session, key: str, clock: Callable[[], datetime] = utc_now) -> str:
    """Return the secret of a new browser session for the holder of an API key.

    Raises
    ------
    LoginRefused
        If the key is unknown or revoked.
    """
    row = find_key(session, key)
    if row is None:
        raise LoginRefused
    return _open_session(session, row.role, row.id, clock())


def find_session(
    session: Session, secret: str, clock: Callable[[], datetime] = utc_now
) -> Caller | None:
    """Return who is signed in; None for an unknown or ended session or a revoked key."""
    statement = (
        select(BrowserSessionRow, KeyRow)
        .outerjoin(KeyRow, col(KeyRow.id) == col(BrowserSessionRow.key_id))
        .where(
            col(BrowserSessionRow.digest) == digest(secret),
            col(BrowserSessionRow.expires_at) > clock(),
        )
    )
    found = session.exec(statement).first()
    if found is None:
        return None
    browser, key = found
    if key is None:
        return Caller("one-time link", Role(browser.role), has_session=True)
    if key.revoked_at is not None:
        return None
    return Caller(key.name, Role(key.role), has_session=True)


def sign_out(session: Session, secret: str) -> None:
    """End a browser session; an unknown one is none."""
    wanted = col(BrowserSessionRow.digest) == digest(secret)
    session.execute(delete(BrowserSessionRow).where(wanted))


def _open_session(session: Session, role: str, key_id: int | None, now: datetime) -> str:
    session.execute(delete(BrowserSessionRow).where(col(BrowserSessionRow.expires_at) <= now))
    session.execute(delete(LoginTokenRow).where(col(LoginTokenRow.expires_at) <= now))
    secret = new_secret()
    expires_at = now + SESSION_LIFE
    row = BrowserSessionRow(digest=digest(secret), key_id=key_id, role=role, expires_at=expires_at)
    session.add(row)
    session.flush()
    return secret
