"""Cursors: where a list goes on, opaque to whoever passes them back."""

import base64
import json
from datetime import datetime

from api.errors import CursorInvalid


def encode_cursor(listing: str, *position: str | int) -> str:
    """Return the cursor that goes on after `position` in the list of that name."""
    text = json.dumps([listing, *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def integer_cursor(listing: str, cursor: str) -> int:
    """Return the number a cursor of that list goes on after.

    Raises
    ------
    CursorInvalid
        If it is not a cursor of that list.
    """
    match _decode(cursor):
        case [name, int(number)] if name == listing and 0 <= number < 2**63:
            return number
    raise CursorInvalid


def integers_cursor(listing: str, cursor: str, parts: int) -> tuple[int, ...]:
    """Return the numbers that name the row a cursor of that list goes on after.

    Raises
    ------
    CursorInvalid
        If it is not a cursor of that list.
    """
    match _decode(cursor):
        case [name, *position] if name == listing and len(position) == parts:
            numbers = tuple(n for n in position if type(n) is int and 0 <= n < 2**63)
            if len(numbers) == parts:
                return numbers
    raise CursorInvalid


def moment_cursor(listing: str, cursor: str) -> tuple[datetime, str]:
    """Return the moment and the identifier a cursor of that list goes on after.

    Raises
    ------
    CursorInvalid
        If it is not a cursor of that list.
    """
    match _decode(cursor):
        case [name, str(moment), str(identifier)] if name == listing:
            return _moment(moment), identifier
    raise CursorInvalid


def text_cursor(listing: str, cursor: str, parts: int) -> tuple[str, ...]:
    """Return the texts that name the row a cursor of that list goes on after.

    Raises
    ------
    CursorInvalid
        If it is not a cursor of that list.
    """
    match _decode(cursor):
        case [name, *position] if name == listing and len(position) == parts:
            texts = tuple(text for text in position if isinstance(text, str))
            if len(texts) == parts:
                return texts
    raise CursorInvalid


def _decode(cursor: str) -> object:
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        return json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError) as error:
        # ValueError covers text that is not ASCII, base64, UTF-8 or JSON.
        raise CursorInvalid from error


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CursorInvalid from error
    if moment.tzinfo is None:
        raise CursorInvalid
    return moment
