"""A range of days, as DICOM and as people write it."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Self

from dicom_node.calling_errors import QueryInvalid

_DAY: Final = r"\d{4}-?\d{2}-?\d{2}"
_RANGE: Final = re.compile(rf"(?P<first>{_DAY})?(?P<to>-|\.\.)?(?P<last>{_DAY})?")


@dataclass(frozen=True)
class DateRange:
    """The days from `first` to `last`, both included; None leaves that end open."""

    first: date | None
    last: date | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `20240101`, `20240101-20240131`, `20240101-`, `-20240131`, or ISO 8601 with `..`.

        Raises
        ------
        QueryInvalid
            If it is no such range, or ends before it begins.
        """
        match = _RANGE.fullmatch(text.strip())
        if match is None or not (match["first"] or match["last"]):
            raise QueryInvalid(f"{text!r} is no date range: 20240101, 20240101-20240131, 20240101-")
        first, last = _read_day(match["first"]), _read_day(match["last"])
        if not match["to"]:
            last = first
        if first and last and last < first:
            raise QueryInvalid(f"{text!r} ends before it begins")
        return cls(first, last)

    def __str__(self) -> str:
        """Write it as the range matching of PS3.4 C.2.2.2.5 does."""
        if self.first == self.last and self.first is not None:
            return f"{self.first:%Y%m%d}"
        first, last = (f"{day:%Y%m%d}" if day else "" for day in (self.first, self.last))
        return f"{first}-{last}"

    def holds(self, text: str) -> bool:
        """Whether a DA value lies in it; one that is no date does not."""
        try:
            day = _read_day(text.strip())
        except QueryInvalid:
            return False
        if day is None:
            return False
        return (self.first or day) <= day <= (self.last or day)


def _read_day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return datetime.strptime(text.replace("-", ""), "%Y%m%d").date()  # noqa: DTZ007 - a day
    except ValueError as error:
        raise QueryInvalid(f"{text} is no day") from error
