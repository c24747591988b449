"""What a matching key asks for, once its value is understood (PS3.4 C.2.2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class OneOf:
    """Exactly one of these texts: single value matching, and list of UID matching."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Wildcard:
    """A text like this: `*` stands for any characters, `?` for one."""

    pattern: str


@dataclass(frozen=True)
class Days:
    """A day between these, both included; None leaves that end open."""

    first: date | None
    last: date | None


@dataclass(frozen=True)
class Times:
    """A time of day between these.

    Attributes
    ----------
    first
        The earliest, without the zeros at its end, so that every way to write it compares as text.
    last
        The latest, HH, HHMM, HHMMSS or with a fraction; all it is the beginning of is included.
    is_range
        Whether it was written as a range.
    """

    first: str
    last: str
    is_range: bool = True


@dataclass(frozen=True)
class NameLike:
    """A person name like this.

    Attributes
    ----------
    groups
        A pattern for the alphabetic, ideographic and phonetic group, each folded, an empty one for
        any; a single one is looked for in each group.
    """

    groups: tuple[str, ...]


@dataclass(frozen=True)
class Numbers:
    """A number that is one of these."""

    values: tuple[int, ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one of these: multiple value matching."""

    matches: tuple["Match", ...]


@dataclass(frozen=True)
class Item:
    """A sequence with an item whose attributes match, by keyword (PS3.4 C.2.2.2.6)."""

    keys: Mapping[str, "Match"]


Match = OneOf | Wildcard | Days | Times | NameLike | Numbers | AnyOf | Item
