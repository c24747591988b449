"""What is told of one match: plain values by keyword."""

from collections.abc import Mapping
from dataclasses import dataclass

#: A value: text as kept, a day as YYYYMMDD, a number, or the attributes of a sequence's item.
Value = str | int | Mapping[str, str]


@dataclass(frozen=True)
class Record:
    """One match.

    Attributes
    ----------
    values
        Attributes of its level and above by keyword; one without a value has none.
    is_online
        Whether the bytes of all its instances are kept.
    """

    values: Mapping[str, tuple[Value, ...]]
    is_online: bool

    def text(self, keyword: str) -> str:
        """Return the first value of an attribute as text, empty where it has none."""
        values = self.values.get(keyword, ())
        return str(values[0]) if values else ""
