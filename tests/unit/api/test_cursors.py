import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cursors import encode_cursor, integer_cursor, moment_cursor, text_cursor
from api.errors import CursorInvalid

_MOMENT = datetime(2026, 3, 4, 9, 30, 1, 250000, tzinfo=UTC)


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_integer_cursor_gives_back_its_position(number: int) -> None:
    assert integer_cursor("jobs", encode_cursor("jobs", number)) == number


def test_moment_cursor_gives_back_its_position() -> None:
    cursor = encode_cursor("predictions", _MOMENT.isoformat(), "p1")

    assert moment_cursor("predictions", cursor) == (_MOMENT, "p1")


@given(st.text(), st.text())
def test_text_cursor_gives_back_its_position(first: str, second: str) -> None:
    assert text_cursor("callers", encode_cursor("callers", first, second), 2) == (first, second)


def test_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(CursorInvalid):
        integer_cursor("jobs", encode_cursor("patients", 7))


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(CursorInvalid):
        integer_cursor("jobs", text)


@pytest.mark.parametrize(
    "content",
    [
        ["predictions", "yesterday", "p1"],
        ["predictions", "2026-03-04T09:30:00", "p1"],
        ["predictions", 7, "p1"],
        ["predictions", _MOMENT.isoformat()],
        {"predictions": 1},
        None,
        7,
    ],
)
def test_cursor_with_another_content_is_refused(content: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(content).encode()).decode()

    with pytest.raises(CursorInvalid):
        moment_cursor("predictions", cursor)


@pytest.mark.parametrize("number", [-1, 2**63, 1.5, "1"])
def test_number_out_of_range_is_refused(number: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(["jobs", number]).encode()).decode()

    with pytest.raises(CursorInvalid):
        integer_cursor("jobs", cursor)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(CursorInvalid):
        integer_cursor("jobs", base64.urlsafe_b64encode(b"[" * 100_000).decode())
