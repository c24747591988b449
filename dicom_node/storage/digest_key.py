"""Where the bytes of an instance lie: named by what they are, never by what a peer calls them."""

from typing import Final

#: Every folder an instance can lie in: few, so that instances that come together share their syncs.
DIGEST_FOLDERS: Final = tuple("0123456789abcdef")


def digest_key(digest: str) -> str:
    """Return the storage key of an instance with this digest (SHA-256, hex)."""
    return f"{digest[0]}/{digest}.dcm"
