"""The key of the chain: with it nobody who has only the database can make a chain anew."""

from pathlib import Path
from typing import Final

from core.errors import SettingsInvalid

#: 128 bits: a key is random bytes, as `openssl rand -hex 32` writes them, not a password.
SHORTEST_KEY_BYTES: Final = 16


class AuditKeyUnusable(SettingsInvalid):
    """The key of the audit trail cannot be used."""


def read_audit_key(path: str) -> bytes | None:
    """Return the key kept in a file, None where no file is named.

    Raises
    ------
    AuditKeyUnusable
        If it cannot be read or is too short.
    """
    if not path:
        return None
    try:
        key = Path(path).read_bytes().strip()
    except OSError as error:
        raise AuditKeyUnusable(
            f"audit_key_file {path} cannot be read: {error.strerror or error}"
        ) from error
    if len(key) < SHORTEST_KEY_BYTES:
        raise AuditKeyUnusable(
            f"audit_key_file {path} holds fewer than {SHORTEST_KEY_BYTES} bytes; make one with "
            "`openssl rand -hex 32`"
        )
    return key
