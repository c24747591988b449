"""Cursors whose position nobody reads: for lists whose rows must not be known again elsewhere."""

import base64
import hashlib
import hmac
import secrets
from typing import Final

from api.errors import CursorInvalid

_NONCE_BYTES: Final = 16
_TAG_BYTES: Final = 16


def seal(key: bytes, position: str) -> str:
    """Return the cursor of a position: encrypted, and signed so that no other is taken for it."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    hidden = _veiled(key, nonce, position.encode())
    sealed = nonce + hidden + _tag(key, nonce + hidden)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def unseal(key: bytes, cursor: str) -> str:
    """Return the position of a cursor that `seal` gave.

    Raises
    ------
    CursorInvalid
        If it is another one.
    """
    try:
        sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise CursorInvalid from error
    content, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
    if len(content) <= _NONCE_BYTES or not hmac.compare_digest(tag, _tag(key, content)):
        raise CursorInvalid
    return _veiled(key, content[:_NONCE_BYTES], content[_NONCE_BYTES:]).decode()


def _veiled(key: bytes, nonce: bytes, content: bytes) -> bytes:
    # A fresh stream for each nonce: SHAKE256 of key and nonce, as long as the content.
    stream = hashlib.shake_256(b"veil" + key + nonce).digest(len(content))
    return bytes(a ^ b for a, b in zip(content, stream, strict=True))


def _tag(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, b"seal" + content, hashlib.sha256)[:_TAG_BYTES]
