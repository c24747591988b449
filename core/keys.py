"""API keys: who may ask. Only the SHA-256 of a key is kept; the key itself is shown once."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
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
    """What the holder of a key may do. Reading is open to every role but the researcher."""

    VIEWER = "viewer"
    CLINICIAN = "clinician"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    #: Sees results under pseudonyms, and nothing else.
    RESEARCHER = "researcher"


class KeyNameTaken(NodeError):
    """There is a key of that name already; choose another name, a revoked key keeps its own."""


def create_key(
    session: Session, name: str, role: Role = Role.VIEWER, created_at: datetime | None = None
) -> str:
    """Record a new key in the caller's transaction and return it; it cannot be read again.

    Raises
    ------
    KeyNameTaken
        If a key of that name exists, revoked or not.
    """
    if session.exec(select(KeyRow).where(col(KeyRow.name) == name)).first() is not None:
        raise KeyNameTaken
    key = new_secret(KEY_PREFIX)
    session.add(
        KeyRow(name=name, digest=digest(key), role=role, created_at=created_at or utc_now())
    )
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
    row = session.exec(select(KeyRow).where(col(KeyRow.name) == name)).first()
    if row is None:
        raise RecordNotFound("There is no key of that name; `arcuate keys list` shows them")
    row.revoked_at = row.revoked_at or revoked_at or utc_now()
    session.add(row)


def find_key(session: Session, key: str) -> KeyRow | None:
    """Return the record of a key that may be used, None for an unknown or revoked one."""
    wanted = digest(key)
    row = session.exec(select(KeyRow).where(col(KeyRow.digest) == wanted)).first()
    # The index compares byte by byte; this decides without telling how much was right.
    if row is None or not hmac.compare_digest(row.digest, wanted) or row.revoked_at is not None:
        return None
    return row


def new_secret(prefix: str = "") -> str:
    """Return a random secret of 256 bits, safe in URLs and headers."""
    return prefix + secrets.token_urlsafe(_SECRET_BYTES)


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret, hex.

    A plain hash is enough: the secret is 256 random bits, not a password someone chose.
    """
    return hashlib.sha256(secret.encode()).hexdigest()
