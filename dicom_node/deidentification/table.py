"""Table E.1-1 of PS3.15: what the profile does with each attribute it names."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from dicom_node.deidentification.options import Option

#: Of the standard, whose table this is.
EDITION: Final = "2026c"
_FILE: Final = Path(__file__).parent / "table_e_1_1.csv"
_KEPT: Final = "K"
_CLEANED: Final = "C"


@dataclass(frozen=True)
class Rule:
    """What is done with one attribute.

    Attributes
    ----------
    action
        X remove, Z empty, D dummy value, U another UID; several where the object decides which.
    kept_by
        Options that leave it as it is.
    is_descriptor
        Whether the option Clean Descriptors may leave it.
    """

    name: str
    action: str
    kept_by: frozenset[Option]
    is_descriptor: bool

    @property
    def must_stay(self) -> bool:
        """Whether some object needs the attribute with a value."""
        return "D" in self.action

    @property
    def may_be_empty(self) -> bool:
        """Whether some object needs the attribute, without a value."""
        return "Z" in self.action


#: Any attribute of the groups of curves and overlays: without its data the rest says nothing.
_GRAPHICS: Final = Rule("Curves and overlays", "X", frozenset(), is_descriptor=False)


def rule_of(tag: int) -> Rule | None:
    """Return the rule of an attribute, None where the table names it not."""
    if (tag >> 24) in {0x50, 0x60}:
        return _GRAPHICS
    return rules().get(tag)


@cache
def rules() -> dict[int, Rule]:
    """Return the rules of all attributes that the table names one by one."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if "X" not in row["tag"]]
    return {int(row["tag"], 16): _rule(row) for row in rows}


def _rule(row: dict[str, str]) -> Rule:
    options = {
        Option.DEVICE_IDENTITY: row["device_identity"],
        Option.PATIENT_CHARACTERISTICS: row["patient_characteristics"],
    }
    kept_by = frozenset(option for option, letter in options.items() if letter == _KEPT)
    is_descriptor = row["clean_descriptors"] == _CLEANED
    return Rule(row["name"], row["basic_profile"], kept_by, is_descriptor)
