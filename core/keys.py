"""API keys: who may ask. Only the SHA-256 of a key is kept; the key itself is shown once."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlmodel import Session, col, select

from core.clock import utc_now
from core.errors import NodeError, RecordNotFound
from core.tables.keys import KeyRow

#: Makes a leaked key recognisable to scanners and to people.
KEY_PREFIX: Final = "arcuate_"
_SECRET_BYTES: Final = 32


class Role(StrEnum):
    """What the holder of a key may do; which route takes which, says `api/routes.py`."""

    VIEWER = "viewer"
    CLINICIAN = "clinician"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    #: Sees pseudonymised data only, and so nothing that the others see.
    RESEARCHER = "researcher"


class KeyNameTaken(NodeError):
    """There is a key of that name already; choose another name, a revoked key keeps its own."""


def create_key(
    session: Session,
    name: str,
    *roles: Role,
    created_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Record a new key in the caller's transaction and return it; it cannot be read again.

    Parameters
    ----------
    roles
        What its holder may do; without any, a viewer.
    expires_at
        From when on it is refused; None for never.

    Raises
    ------
    KeyNameTaken
        If a key of that name exists, revoked or not.
    """
    if session.exec(select(KeyRow).where(col(KeyRow.name) == name)).first() is not None:
        raise KeyNameTaken
    key = new_secret(KEY_PREFIX)
    row = KeyRow(
        name=name,
        digest=digest(key),
        roles=role_names(roles or (Role.VIEWER,)),
        created_at=created_at or utc_now(),
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return key


def list_keys(session: Session) -> Sequence[KeyRow]:
    """Return every key, revoked ones too, in the order they were made."""
    return session.exec(select(KeyRow).order_by(col(KeyRow.id))).all()


def revoke_key(session: Session, name: str, revoked_at: datetime | None = None) -> None:
    """Refuse a key from now on, in the caller's transaction; again does nothing.

    Raises
    ------
    RecordNotFound
        If there is no key of that name.
    """
    row = key_named(session, name)
    row.revoked_at = row.revoked_at or revoked_at or utc_now()
    session.add(row)


def key_named(session: Session, name: str) -> KeyRow:
    """Return the record of a key, revoked or not.

    Raises
    ------
    RecordNotFound
        If there is no key of that name.
    """
    row = session.exec(select(KeyRow).where(col(KeyRow.name) == name)).first()
    if row is None:
        raise RecordNotFound("There is no key of that name; `arcuate keys list` shows them")
    return row


def find_key(session: Session, key: str, now: datetime | None = None) -> KeyRow | None:
    """Return the record of a key that may be used, None for one that may not or is unknown."""
    wanted = digest(key)
    row = session.exec(select(KeyRow).where(col(KeyRow.digest) == wanted)).first()
    # The index compares byte by byte; this decides without telling how much was right.
    if row is None or not hmac.compare_digest(row.digest, wanted):
        return None
    return row if may_be_used(row, now or utc_now()) else None


def may_be_used(row: KeyRow, now: datetime) -> bool:
    """Whether a key is neither revoked nor expired."""
    return row.revoked_at is None and (row.expires_at is None or row.expires_at > now)


def has_administrator(session: Session, now: datetime | None = None) -> bool:
    """Whether somebody holds a key of the role administrator that may be used."""
    moment = now or utc_now()
    return any(
        Role.ADMINISTRATOR in roles_of(row.roles) and may_be_used(row, moment)
        for row in list_keys(session)
    )


def roles_of(names: Iterable[str]) -> frozenset[Role]:
    """Return roles by the names that are kept of them."""
    return frozenset(map(Role, names))


def role_names(roles: Iterable[Role]) -> list[str]:
    """Return the names to keep of roles, each once and in the order of `Role`."""
    wanted = frozenset(roles)
    return [role.value for role in Role if role in wanted]


def new_secret(prefix: str = "") -> str:
    """Return a random secret of 256 bits, safe in URLs and headers."""
    return prefix + secrets.token_urlsafe(_SECRET_BYTES)


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret, hex.

    A plain hash is enough: the secret is 256 random bits, not a password someone chose.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
