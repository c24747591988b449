"""A query, understood: what level, which matches, what to tell of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dicom_node.storage.query.attribute import ATTRIBUTES, UNIQUE_KEYS, Attribute
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.match import Match

#: Attributes that are counted or gathered: they are told, and not looked for.
_NOT_SEARCHED: Final = frozenset(
    keyword for keyword in ATTRIBUTES if keyword.startswith("NumberOf") and "Related" in keyword
)
#: What can be looked for in the items of a sequence.
NESTED_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "RequestAttributesSequence": ("ScheduledProcedureStepID", "RequestedProcedureID"),
    "ConceptNameCodeSequence": ("CodeValue", "CodingSchemeDesignator", "CodeMeaning"),
}


@dataclass(frozen=True)
class Query:
    """What is looked for.

    Attributes
    ----------
    matches
        By keyword; of attributes at the level and above it (a relational query, PS3.4 C.4.1.2.2.2).
    asked
        Keywords to be told of each; what costs a statement of its own is found only if it is here.
    maximum
        At most so many are told.
    skipped
        So many are left out before the first.
    combines_days_and_times
        Whether a range of days and one of times are one range of moments (PS3.4 C.2.2.2.5.4).
    """

    level: Level
    matches: Mapping[str, Match] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    maximum: int = 1000
    skipped: int = 0
    combines_days_and_times: bool = False

    def names_one(self, level: Level) -> bool:
        """Whether exactly one patient, study, series or instance is named by its unique key."""
        match = self.matches.get(UNIQUE_KEYS[level])
        return len(getattr(match, "values", ())) == 1


def searchable(keyword: str, level: Level) -> Attribute | None:
    """Return the attribute a query of that level can look for, None where it cannot."""
    attribute = ATTRIBUTES.get(keyword)
    if attribute is None or keyword in _NOT_SEARCHED or not level.reaches(attribute.level):
        return None
    return attribute


def tellable(keyword: str, level: Level) -> bool:
    """Whether an attribute is known of what a query of that level finds."""
    attribute = ATTRIBUTES.get(keyword)
    return attribute is not None and level.reaches(attribute.level)
