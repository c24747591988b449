"""What becomes of an instance that comes under a SOP Instance UID kept with other content."""

from enum import StrEnum


class DuplicatePolicy(StrEnum):
    """Which of the two stands; both are kept whatever it says, the other one in quarantine."""

    #: The first one; the sender of the other is told.
    REFUSE = "refuse"
    #: The first one; the sender of the other is answered Success.
    KEEP_BOTH = "keep_both"
    #: The last one, which is analysed anew.
    REPLACE = "replace"
