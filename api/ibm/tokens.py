"""Tokens the clients ask for: a JWT of ours, which stands for an API key for some hours.

It is signed with what is kept of that key, so that revoking the key ends its tokens, and nothing
else need be kept. The holder of the key could make one for himself: it would give no more than the
key does.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from time import time
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OctKey
from joserfc.jws import extract_compact
from joserfc.jwt import JWTClaimsRegistry
from sqlmodel import Session

from api.errors import TokenRefused
from core.clock import utc_now
from core.keys import may_be_used
from core.tables.columns import key_of
from core.tables.keys import KeyRow

#: The clients want it to last well over 50 minutes.
LIFE: Final = timedelta(hours=12)
#: Tells our tokens from a provider's.
_TYPE: Final = "arcuate+jwt"
_ALGORITHM: Final = "HS256"
_LARGEST_TOKEN_BYTES: Final = 4096
#: The clients drop `-` and `_` from what they decode. Of ASCII only `>`, `?`, `~` and DEL bring
#: them about in base64.
_MISREAD: Final = re.compile(r"[^ -}]|[>?]")


@dataclass(frozen=True)
class Issued:
    """A token, and how long it lasts in seconds."""

    token: str
    seconds: int


def issue_token(key: KeyRow | None, username: str, clock: Callable[[], float] = time) -> Issued:
    """Return a token.

    Parameters
    ----------
    key
        The key it stands for; None where authentication is off, and nobody looks at it.
    username
        What the caller calls himself, used where there is no key with a name.
    """
    seconds, now = int(LIFE.total_seconds()), int(clock())
    uid = "0" if key is None else str(key_of(key))
    name = _MISREAD.sub("_", username if key is None else key.name)
    claims = {"sub": name, "username": name, "uid": uid, "iat": now, "exp": now + seconds}
    header = {"alg": _ALGORITHM, "typ": _TYPE, "kid": uid}
    return Issued(jwt.encode(header, claims, _signing_key(key)), seconds)


def is_ours(token: str) -> bool:
    """Whether a text is a token of our kind, valid or not."""
    return _header_of(token).get("typ") == _TYPE


def key_with_token(session: Session, token: str, clock: Callable[[], float] = time) -> KeyRow:
    """Return the key a token stands for.

    Raises
    ------
    TokenRefused
        If it is not ours, too old, or its key may not be used any more.
    """
    number = str(_header_of(token).get("kid", ""))
    key = session.get(KeyRow, int(number)) if re.fullmatch(r"\d{1,9}", number) else None
    if key is None:
        raise TokenRefused("nobody here has issued it")
    try:
        claims = jwt.decode(token, _signing_key(key), algorithms=[_ALGORITHM]).claims
        JWTClaimsRegistry(now=lambda: int(clock()), exp={"essential": True}).validate(claims)
    except ExpiredTokenError:
        raise TokenRefused("it is expired: authorize again", is_forged=False) from None
    except (JoseError, ValueError, TypeError):
        raise TokenRefused("its signature is not ours") from None
    if not may_be_used(key, utc_now()):
        raise TokenRefused("its key is revoked or too old", is_forged=False)
    return key


def _header_of(token: str) -> dict[str, Any]:
    encoded = token.encode("utf-8", "replace")
    if len(encoded) > _LARGEST_TOKEN_BYTES:
        return {}
    try:
        return dict(extract_compact(encoded).headers())
    except (JoseError, ValueError, TypeError, RecursionError):
        return {}


def _signing_key(key: KeyRow | None) -> OctKey:
    return OctKey.import_key(f"token:{'' if key is None else key.digest}")
