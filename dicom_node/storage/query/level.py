"""The levels of the information model (PS3.4 C.6.1.1)."""

from enum import StrEnum
from typing import Final


class Level(StrEnum):
    """What a query looks for: the value of Query/Retrieve Level (0008,0052)."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"

    @property
    def depth(self) -> int:
        """How far below the patient it is."""
        return _ORDER.index(self)

    def reaches(self, other: "Level") -> bool:
        """Whether what this level finds has the attributes of the other: it is not below."""
        return other.depth <= self.depth


_ORDER: Final = tuple(Level)
