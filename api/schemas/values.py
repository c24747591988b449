"""The values every schema is made of: UTC moments and finite numbers."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator

#: A moment, written as RFC 3339 in UTC with a Z.
Moment = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]

#: Far finer than any unit here means, and short enough to read.
_DIGITS: Final = 4


def number(value: float | None) -> float | None:
    """Return a number JSON can hold; what is missing, NaN or infinite is null."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), _DIGITS)


def numbers(values: Iterable[float]) -> list[float | None]:
    """Return numbers JSON can hold, in the same order."""
    return [number(value) for value in values]
