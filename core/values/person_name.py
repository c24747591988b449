"""Person names as they are searched: without regard to case, width and padding.

A name has up to three groups, written in letters, in ideographs and as it is spoken, each of up to
five components (PS3.5 6.2.1.2).
"""

import unicodedata
from dataclasses import dataclass
from typing import Final, Self

_GROUPS: Final = 3


@dataclass(frozen=True)
class FoldedName:
    """The groups of a name, folded; empty where the name has none."""

    alphabetic: str
    ideographic: str
    phonetic: str

    @classmethod
    def of(cls, name: str) -> Self:
        """Fold a name."""
        groups = [fold_group(group) for group in name.split("=")[:_GROUPS]]
        return cls(*groups, *[""] * (_GROUPS - len(groups)))

    @property
    def main(self) -> str:
        """The first group that says something."""
        return self.alphabetic or self.ideographic or self.phonetic


def fold_group(group: str) -> str:
    """Return a group without padding of its components and without empty ones at the end."""
    components = [" ".join(fold_text(component).split()) for component in group.split("^")]
    return "^".join(components).rstrip("^")


def fold_text(text: str) -> str:
    """Return a text in which upper and lower case, and wide and narrow forms, are the same."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded)
