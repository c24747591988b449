"""What a check of an installation found."""

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How a check ended."""

    GOOD = "good"
    #: It works, with less than it could have.
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """What one check found; `remedy` says what to do when it is not good."""

    check: str
    health: Health
    found: str
    remedy: str = ""
