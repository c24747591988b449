import math
from datetime import datetime, timedelta, timezone

import numpy as np
from pydantic import TypeAdapter

from api.schemas.values import Moment, number, numbers


def test_number_that_json_cannot_hold_is_null() -> None:
    assert [number(value) for value in (math.nan, math.inf, -math.inf, None)] == [None] * 4


def test_numbers_are_rounded_to_four_digits() -> None:
    assert numbers(np.array([24.1, np.nan, 0.0], np.float32)) == [24.1, None, 0.0]


def test_moment_is_written_in_utc_with_z() -> None:
    berlin = timezone(timedelta(hours=1))

    written = TypeAdapter(Moment).dump_json(
        TypeAdapter(Moment).validate_python(datetime(2026, 3, 4, 10, 30, tzinfo=berlin))
    )

    assert written == b'"2026-03-04T09:30:00Z"'
