"""Tokens of somebody else, kept encrypted with what only a browser's cookie holds."""

import hashlib
import hmac
from typing import Final

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from api.errors import TokenRefused

_HEADER: Final = {"alg": "dir", "enc": "A256GCM"}


def seal_token(secret: str, token: str) -> str:
    """Return a token as it is kept; empty where there is none.

    Parameters
    ----------
    secret
        Of the session, as its cookie holds it.
    """
    return jwe.encrypt_compact(_HEADER, token, _key(secret)) if token else ""


def open_token(secret: str, sealed: str) -> str:
    """Return the token again.

    Raises
    ------
    TokenRefused
        If it was kept with another secret, or changed.
    """
    try:
        plain = jwe.decrypt_compact(sealed, _key(secret)).plaintext
    except (JoseError, ValueError):
        raise TokenRefused("it is not as it was kept") from None
    return (plain or b"").decode()


def _key(secret: str) -> OctKey:
    # Not the digest that the session is found by: that one is kept.
    return OctKey.import_key(hmac.digest(secret.encode(), b"token", hashlib.sha256))
