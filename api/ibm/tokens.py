"""Tokens the clients ask for: a JWT of ours, which stands for an API key for some hours.

It holds a secret of its own and is signed with it. Of that only the SHA-256 is kept, as of a
session's cookie and in the same table: whoever reads the database can make none. Revoking the key
ends it, and so does signing out its holder.
"""

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import time
from typing import Final

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OctKey
from joserfc.jws import CompactSignature, extract_compact
from joserfc.jwt import JWTClaimsRegistry
from sqlmodel import Session, col, delete

from api.errors import TokenRefused
from core.clock import utc_now
from core.keys import digest, may_be_used
from core.tables.columns import key_of
from core.tables.keys import KeyRow
from core.tables.logins import BrowserSessionRow

#: The clients want it to last well over 50 minutes.
LIFE: Final = timedelta(hours=12)
#: Tells our tokens from a provider's.
_TYPE: Final = "arcuate+jwt"
_ALGORITHM: Final = "HS256"
_LARGEST_TOKEN_BYTES: Final = 4096
_SECRET_BYTES: Final = 32
#: When a browser was seen with it: never, so that it is no session of the pages.
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: The clients drop `-` and `_` from what they decode. Of ASCII only `>`, `?`, `~` and DEL bring
#: them about in base64.
_MISREAD: Final = re.compile(r"[^ -}]|[>?]")


@dataclass(frozen=True)
class Issued:
    """A token, and how long it lasts in seconds."""

    token: str
    seconds: int


def issue_token(session: Session, key: KeyRow, clock: Callable[[], float] = time) -> Issued:
    """Return a token that stands for a key, kept in the caller's transaction."""
    secret, now = secrets.token_hex(_SECRET_BYTES), int(clock())
    at, until = (
        datetime.fromtimestamp(moment, UTC) for moment in (now, now + LIFE.total_seconds())
    )
    session.execute(delete(BrowserSessionRow).where(col(BrowserSessionRow.expires_at) <= at))
    kept = BrowserSessionRow(
        digest=_digest(secret),
        key_id=key_of(key),
        roles=key.roles,
        started_at=at,
        seen_at=_NEVER,
        expires_at=until,
    )
    session.add(kept)
    session.flush()
    return _signed(secret, key.name, str(key_of(key)), now)


def token_of_nobody(username: str, clock: Callable[[], float] = time) -> Issued:
    """Return a token where authentication is off, and nobody looks at it.

    Parameters
    ----------
    username
        What the caller calls himself.
    """
    return _signed(secrets.token_hex(_SECRET_BYTES), username, "0", int(clock()))


def _signed(secret: str, username: str, uid: str, now: int) -> Issued:
    name, seconds = _MISREAD.sub("_", username), int(LIFE.total_seconds())
    claims = {"sub": name, "username": name, "uid": uid, "iat": now, "exp": now + seconds}
    header = {"alg": _ALGORITHM, "typ": _TYPE}
    return Issued(jwt.encode(header, {**claims, "jti": secret}, _signing_key(secret)), seconds)


def is_ours(token: str) -> bool:
    """Whether a text is a token of our kind, valid or not."""
    parts = _parts_of(token)
    return parts is not None and parts.headers().get("typ") == _TYPE


def key_with_token(session: Session, token: str, clock: Callable[[], float] = time) -> KeyRow:
    """Return the key a token stands for.

    Raises
    ------
    TokenRefused
        If it is not ours, too old, or its key may not be used any more.
    """
    secret = _secret_of(token)
    if not secret:
        # As those that were issued before they had one: nobody guesses with it.
        raise TokenRefused("it holds no secret: authorize again", is_forged=False)
    try:
        claims = jwt.decode(token, _signing_key(secret), algorithms=[_ALGORITHM]).claims
        JWTClaimsRegistry(now=lambda: int(clock()), exp={"essential": True}).validate(claims)
    except ExpiredTokenError:
        raise _expired() from None
    except (JoseError, ValueError, TypeError):
        raise TokenRefused("its signature is not ours") from None
    return _key_of(session, secret, datetime.fromtimestamp(clock(), UTC))


def _key_of(session: Session, secret: str, now: datetime) -> KeyRow:
    kept = session.get(BrowserSessionRow, _digest(secret))
    key = session.get(KeyRow, kept.key_id) if kept is not None else None
    if kept is None or key is None:
        raise TokenRefused("nobody here has issued it, or it was ended")
    if kept.expires_at <= now:
        # Its holder can write another end into it.
        raise _expired()
    if not may_be_used(key, utc_now()):
        raise TokenRefused("its key is revoked or too old", is_forged=False)
    return key


def _expired() -> TokenRefused:
    return TokenRefused("it is expired: authorize again", is_forged=False)


def _parts_of(token: str) -> CompactSignature | None:
    encoded = token.encode("utf-8", "replace")
    if len(encoded) > _LARGEST_TOKEN_BYTES:
        return None
    try:
        return extract_compact(encoded)
    except (JoseError, ValueError, TypeError, RecursionError):
        return None


def _secret_of(token: str) -> str:
    """Return the secret that a token of our kind holds, signed or not; empty where it has none."""
    parts = _parts_of(token)
    try:
        claims = json.loads(parts.payload) if parts is not None else None
    except (ValueError, RecursionError):
        return ""
    secret = claims.get("jti") if isinstance(claims, dict) else None
    return secret if isinstance(secret, str) else ""


def _digest(secret: str) -> str:
    # Not that of the secret itself: shown as a cookie it opens no session.
    return digest(f"token:{secret}")


def _signing_key(secret: str) -> OctKey:
    return OctKey.import_key(f"token:{secret}")
