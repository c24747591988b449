"""What one association brought so far."""

from dataclasses import dataclass, field
from typing import Final

#: Studies named of one association; an archive that sends more in one is counted, not listed.
MOST_STUDIES: Final = 1000


@dataclass
class StoreTally:
    """Counts, and the studies they belong to.

    Attributes
    ----------
    kept, refused
        Instances that were answered with success, and with anything else.
    """

    kept: int = 0
    refused: int = 0
    studies: set[str] = field(default_factory=set)

    def count(self, study_instance_uid: str, *, is_kept: bool) -> None:
        """Count an instance; an empty UID where it could not be read."""
        self.kept += is_kept
        self.refused += not is_kept
        if study_instance_uid and len(self.studies) < MOST_STUDIES:
            self.studies.add(study_instance_uid)

    @property
    def is_empty(self) -> bool:
        """Whether nothing came."""
        return not self.kept and not self.refused
