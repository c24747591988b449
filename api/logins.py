"""How a browser signs in: by an API key or a one-time link; and then by a session."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, update

from api.errors import AdministratorExists, LoginRefused
from api.sessions import Holder, SessionLife, open_session
from core.clock import Clock, utc_now
from core.errors import RecordNotFound
from core.keys import (
    Role,
    create_key,
    digest,
    find_key,
    has_administrator,
    key_named,
    may_be_used,
    new_secret,
    role_names,
    roles_of,
)
from core.tables.columns import key_of
from core.tables.keys import KeyRow
from core.tables.logins import LoginTokenRow

#: A one-time link is meant to be opened at once.
LOGIN_TOKEN_LIFE: Final = timedelta(minutes=10)
#: How the first administrator's key is called where they do not say.
FIRST_NAME: Final = "administrator"


@dataclass(frozen=True)
class SignedIn:
    """A new session: its secret, its roles, and the key made with it, to be shown once."""

    secret: str
    roles: frozenset[Role]
    key: str = ""


def create_login_token(session: Session, *roles: Role, clock: Clock = utc_now) -> str:
    """Record a one-time token in the caller's transaction and return it, for `/login?token=…`.

    Only for someone who already controls this node, such as the terminal that starts it.
    """
    return _keep_token(session, roles or (Role.VIEWER,), clock())


def create_link(session: Session, key_name: str, clock: Clock = utc_now) -> str:
    """Return a one-time token that signs the holder of a key in.

    Raises
    ------
    RecordNotFound
        If there is no such key that may be used.
    """
    row = key_named(session, key_name)
    if not may_be_used(row, clock()):
        raise RecordNotFound("That key is revoked or too old; `arcuate keys list` shows them")
    return _keep_token(session, roles_of(row.roles), clock(), key_of(row))


def create_first_link(session: Session, clock: Clock = utc_now) -> str:
    """Return a one-time token that makes the first administrator.

    Raises
    ------
    AdministratorExists
        If there is one.
    """
    if has_administrator(session, clock()):
        raise AdministratorExists
    return _keep_token(session, (Role.ADMINISTRATOR,), clock(), makes_administrator=True)


def makes_administrator(session: Session, token: str) -> bool:
    """Whether a token makes the first administrator, used or not."""
    row = session.get(LoginTokenRow, digest(token))
    return row is not None and row.makes_administrator


def sign_in_with_token(
    session: Session,
    token: str,
    life: SessionLife,
    name: str = FIRST_NAME,
    clock: Clock = utc_now,
) -> SignedIn:
    """Use a one-time token up and return a new browser session.

    Parameters
    ----------
    name
        What the first administrator is called; the others have their names.

    Raises
    ------
    LoginRefused
        If the token is unknown, used or too old, or what it was for is.
    KeyNameTaken
        If a key has the first administrator's name.
    """
    now = clock()
    row = _use_up(session, token, now)
    if row.makes_administrator:
        return _make_administrator(session, name, life, now)
    if row.key_id is None:
        return _opened(session, Holder(roles_of(row.roles)), life, now)
    return _of_key(session, session.get(KeyRow, row.key_id), life, now)


def sign_in_with_key(
    session: Session, key: str, life: SessionLife, clock: Clock = utc_now
) -> SignedIn:
    """Return a new browser session for the holder of an API key.

    Raises
    ------
    LoginRefused
        If the key is unknown, revoked or too old.
    """
    now = clock()
    return _of_key(session, find_key(session, key, now), life, now)


def _keep_token(
    session: Session,
    roles: Iterable[Role],
    now: datetime,
    key_id: int | None = None,
    makes_administrator: bool = False,
) -> str:
    token = new_secret()
    row = LoginTokenRow(
        digest=digest(token),
        roles=role_names(roles),
        key_id=key_id,
        makes_administrator=makes_administrator,
        expires_at=now + LOGIN_TOKEN_LIFE,
    )
    session.add(row)
    session.flush()
    return token


def _use_up(session: Session, token: str, now: datetime) -> LoginTokenRow:
    # One statement decides, so that of two browsers with one link only the first gets in.
    statement = (
        update(LoginTokenRow)
        .where(
            col(LoginTokenRow.digest) == digest(token),
            col(LoginTokenRow.used_at).is_(None),
            col(LoginTokenRow.expires_at) > now,
        )
        .values(used_at=now)
        .returning(col(LoginTokenRow.digest))
    )
    used = session.execute(statement).scalar_one_or_none()
    if used is None:
        raise LoginRefused
    return session.get_one(LoginTokenRow, used)


def _make_administrator(session: Session, name: str, life: SessionLife, now: datetime) -> SignedIn:
    if has_administrator(session, now):
        raise LoginRefused
    key = create_key(session, name, Role.ADMINISTRATOR, created_at=now)
    holder = Holder(frozenset((Role.ADMINISTRATOR,)), key_of(key_named(session, name)))
    return _opened(session, holder, life, now, key)


def _of_key(session: Session, row: KeyRow | None, life: SessionLife, now: datetime) -> SignedIn:
    if row is None or not may_be_used(row, now):
        raise LoginRefused
    return _opened(session, Holder(roles_of(row.roles), key_of(row)), life, now)


def _opened(
    session: Session, holder: Holder, life: SessionLife, now: datetime, key: str = ""
) -> SignedIn:
    return SignedIn(open_session(session, holder, life, now), holder.roles, key)
