"""Browser sessions: opened at signing in, found by the cookie's secret, ended in several ways."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult
from sqlmodel import Session, col, delete, select, update

from api.caller import Caller, Proof, key_subject
from api.sealed_tokens import seal_token
from core.access_settings import AccessSettings
from core.audit.trail import note_actor
from core.clock import Clock, utc_now
from core.keys import Role, digest, may_be_used, new_secret, role_names, roles_of
from core.tables.keys import KeyRow
from core.tables.logins import BrowserSessionRow, LoginTokenRow, ProviderLoginRow, SignedOutRow

_LINK_NAME: Final = "one-time link"


@dataclass(frozen=True)
class SessionLife:
    """How long a session lasts, and how long without a request."""

    whole: timedelta = timedelta(hours=12)
    idle: timedelta = timedelta(hours=1)


@dataclass(frozen=True)
class Holder:
    """Whose session it is: the holder of a key, a subject of the provider, or of a link alone.

    `refresh_token` is what the provider gave to ask for their roles again; empty for nothing.
    """

    roles: frozenset[Role]
    key_id: int | None = None
    name: str = ""
    subject: str = ""
    refresh_token: str = ""


def session_life(settings: AccessSettings) -> SessionLife:
    """Return how long the settings let a session last."""
    return SessionLife(
        timedelta(hours=settings.session_hours), timedelta(minutes=settings.session_idle_minutes)
    )


def open_session(session: Session, holder: Holder, life: SessionLife, now: datetime) -> str:
    """Record a new browser session in the caller's transaction and return its secret."""
    for row in (BrowserSessionRow, LoginTokenRow, ProviderLoginRow):
        session.execute(delete(row).where(col(row.expires_at) <= now))
    _note_holder(session, holder.key_id, holder.name, role_names(holder.roles))
    secret = new_secret()
    opened = BrowserSessionRow(
        digest=digest(secret),
        key_id=holder.key_id,
        name=holder.name,
        subject=holder.subject,
        roles=role_names(holder.roles),
        refresh_token=seal_token(secret, holder.refresh_token),
        roles_read_at=now,
        started_at=now,
        seen_at=now,
        expires_at=now + life.whole,
    )
    session.add(opened)
    session.flush()
    return secret


def find_session(
    session: Session, secret: str, life: SessionLife, clock: Clock = utc_now
) -> tuple[Caller, BrowserSessionRow] | None:
    """Return who is signed in; None for an unknown or ended session or a revoked key."""
    now = clock()
    statement = (
        select(BrowserSessionRow, KeyRow)
        .outerjoin(KeyRow, col(KeyRow.id) == col(BrowserSessionRow.key_id))
        .where(col(BrowserSessionRow.digest) == digest(secret), *_is_open(life, now))
    )
    found = session.exec(statement).first()
    if found is None:
        return None
    row, key = found
    if key is None:
        name = row.name or _LINK_NAME
        return Caller(name, roles_of(row.roles), Proof.SESSION, row.subject), row
    if not may_be_used(key, now):
        return None
    return Caller(key.name, roles_of(key.roles), Proof.SESSION, key_subject(key.name)), row


def touch_session(session: Session, row: BrowserSessionRow, now: datetime) -> None:
    """Record in the caller's transaction that a session is in use."""
    same = col(BrowserSessionRow.digest) == row.digest
    session.execute(update(BrowserSessionRow).where(same).values(seen_at=now))


def sessions_beside(
    session: Session, secret: str, life: SessionLife, clock: Clock = utc_now
) -> Sequence[BrowserSessionRow]:
    """Return the open sessions of whoever has this one, the last used first; this one is in it."""
    row = session.get(BrowserSessionRow, digest(secret))
    if row is None:
        return ()
    statement = select(BrowserSessionRow).where(_is_of_same(row), *_is_open(life, clock()))
    return session.exec(statement.order_by(col(BrowserSessionRow.seen_at).desc())).all()


def sign_out(session: Session, secret: str) -> None:
    """End a browser session; an unknown one is none."""
    row = session.get(BrowserSessionRow, digest(secret))
    if row is not None:
        _note_holder(session, row.key_id, row.name, row.roles)
    _end(session, col(BrowserSessionRow.digest) == digest(secret))


def sign_out_everywhere(session: Session, secret: str, clock: Clock = utc_now) -> int:
    """End every session of whoever has this one; return how many.

    Of someone of the provider, its tokens from before are refused, too.
    """
    row = session.get(BrowserSessionRow, digest(secret))
    if row is None:
        return 0
    _note_holder(session, row.key_id, row.name, row.roles)
    if row.subject:
        _refuse_older_tokens(session, row.subject, clock())
    return _end(session, _is_of_same(row))


def sign_out_by_name(session: Session, name: str, clock: Clock = utc_now) -> int:
    """End every session of the holder of a key, or of a subject of the provider."""
    key = session.exec(select(KeyRow).where(col(KeyRow.name) == name)).first()
    if key is not None:
        return _end(session, col(BrowserSessionRow.key_id) == key.id)
    _refuse_older_tokens(session, name, clock())
    return _end(session, col(BrowserSessionRow.subject) == name)


def signed_out_at(session: Session, subject: str) -> datetime | None:
    """Return when a subject of the provider last signed out everywhere."""
    row = session.get(SignedOutRow, subject)
    return None if row is None else row.signed_out_at


def _note_holder(session: Session, key_id: int | None, name: str, roles: Sequence[str]) -> None:
    """Let the audit trail know whose session begins or ends."""
    key = session.get(KeyRow, key_id) if key_id is not None else None
    note_actor(key.name if key is not None else name or _LINK_NAME, " ".join(roles))


def _is_open(life: SessionLife, now: datetime) -> tuple[Any, Any]:
    return (
        col(BrowserSessionRow.expires_at) > now,
        col(BrowserSessionRow.seen_at) > now - life.idle,
    )


def _is_of_same(row: BrowserSessionRow) -> Any:
    if row.key_id is not None:
        return col(BrowserSessionRow.key_id) == row.key_id
    if row.subject:
        return col(BrowserSessionRow.subject) == row.subject
    return col(BrowserSessionRow.digest) == row.digest


def _refuse_older_tokens(session: Session, subject: str, now: datetime) -> None:
    session.merge(SignedOutRow(subject=subject, signed_out_at=now))


def _end(session: Session, condition: Any) -> int:
    done = session.execute(delete(BrowserSessionRow).where(condition))
    return cast("CursorResult[Any]", done).rowcount
