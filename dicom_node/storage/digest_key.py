"""Where the bytes of an instance lie: named by what they are, never by what a peer calls them."""


def digest_key(digest: str) -> str:
    """Return the storage key of an instance with this digest (SHA-256, hex)."""
    return f"{digest[:2]}/{digest}.dcm"
