"""What of the list of scans a reader wants to see.

A name or a Patient ID comes in the body of a request alone: addresses end up in histories and logs.
"""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.dashboard.translation import gettext, to_translate
from core.values.laterality import Laterality

_LONGEST_CURSOR: Final = 512
#: Nothing came before; a day of the year 1 has no moment in zones east of Greenwich.
_FIRST_DAY: Final = date(1900, 1, 1)


class Shown(StrEnum):
    """Which scans, by where they stand."""

    #: Waits for its turn, or is being scored.
    WAITING = "waiting"
    FINAL = "final"
    NOT_ASSESSABLE = "not_assessable"
    #: Not assessable, and a new scan of the eye may help.
    SCAN_AGAIN = "scan_again"
    FAILED = "failed"
    #: Somebody asks for a review.
    TO_REVIEW = "to_review"


_SHOWN_WORDS: Final = {
    Shown.WAITING: to_translate("Waiting or in work"),
    Shown.FINAL: to_translate("Estimated"),
    Shown.NOT_ASSESSABLE: to_translate("Not assessable"),
    Shown.SCAN_AGAIN: to_translate("To scan again"),
    Shown.FAILED: to_translate("Failed"),
    Shown.TO_REVIEW: to_translate("To review"),
}


def shown_choices() -> list[tuple[Shown, str]]:
    """Return every choice with its words."""
    return [(shown, gettext(words)) for shown, words in _SHOWN_WORDS.items()]


Value = TypeVar("Value")
#: A field of a form that was left empty is one that was not sent.
Given = Annotated[Value | None, BeforeValidator(lambda value: value or None)]


class LiveFilter(BaseModel):
    """What an address may say: nothing of a patient.

    `device` is maker and model, joined by a backslash, which neither can hold; `since` and `until`
    are days of the clinic on which a scan came.
    """

    model_config = ConfigDict(extra="ignore")

    eye: Given[Laterality] = None
    state: Given[Shown] = None
    device: Annotated[Given[str], Field(max_length=200)] = None
    since: Given[date] = None
    until: Given[date] = None
    cursor: Annotated[Given[str], Field(max_length=_LONGEST_CURSOR)] = None

    @property
    def wanted_text(self) -> str:
        """A name or Patient ID to look for; empty where none was given."""
        return ""

    @property
    def is_empty(self) -> bool:
        """Whether every scan is wanted."""
        return not (self.model_dump(exclude={"cursor"}, exclude_none=True) or self.wanted_text)

    @property
    def came_from(self) -> datetime | None:
        """The first moment of the days wanted."""
        return None if self.since is None else _midnight(self.since)

    @property
    def came_before(self) -> datetime | None:
        """The first moment after the days wanted."""
        if self.until is None or self.until == date.max:
            return None
        return _midnight(self.until + timedelta(days=1))

    def address(self, cursor: str | None = None) -> str:
        """Return the address of a page of what is wanted, without what may not stand there."""
        values = self.model_dump(
            mode="json", include=set(LiveFilter.model_fields), exclude={"cursor"}, exclude_none=True
        )
        if cursor is not None:
            values["cursor"] = cursor
        return "/?" + urlencode(values) if values else "/"


class LiveForm(LiveFilter):
    """What the body of a request may say: a name or a Patient ID, too."""

    text: Annotated[str, Field(max_length=64)] = ""

    @property
    def wanted_text(self) -> str:
        """A name or Patient ID to look for; empty where none was given."""
        return self.text.strip()

    def fields(self) -> list[tuple[str, str]]:
        """Return the fields of a form that asks for the same; which page is not among them."""
        values = self.model_dump(mode="json", exclude={"cursor"}, exclude_none=True)
        return [(name, str(value)) for name, value in values.items()]


def _midnight(day: date) -> datetime:
    # Days are days of the clinic, whose time zone is the node's, as devices name none.
    return datetime.combine(max(day, _FIRST_DAY), time.min).astimezone()
