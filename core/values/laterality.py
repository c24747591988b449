"""Which eye."""

from enum import StrEnum


class Laterality(StrEnum):
    """The eye a scan shows, as DICOM Image Laterality (0020,0062) spells it."""

    RIGHT = "R"
    LEFT = "L"

    @property
    def eye(self) -> str:
        """The eye in words, for people."""
        return "right eye" if self is Laterality.RIGHT else "left eye"
