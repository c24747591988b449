"""What a UID may look like (PS3.5 9.1)."""

import re
from typing import Final

_MAXIMUM_LENGTH: Final = 64
_UID: Final = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+", re.ASCII)


def is_uid(text: str) -> bool:
    """Whether the text is a valid UID: digits and dots, no leading zeros, at most 64 characters."""
    return len(text) <= _MAXIMUM_LENGTH and _UID.fullmatch(text) is not None
