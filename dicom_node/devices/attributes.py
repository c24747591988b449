"""Attributes of a data set as plain values, whatever the sender wrote into them.

A value that cannot be read counts as absent: the checks that need it then refuse the scan and say
which attribute was missing. Nothing here raises on the content of a data set.
"""

import math
import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.tag import Tag

#: What pydicom raises while it turns the bytes of an element into a value or a picture. Its
#: interface promises no smaller set: converters raise ValueError, TypeError, struct.error,
#: LookupError (unknown character set or VR) and NotImplementedError, the plug-ins of its decoders
#: RuntimeError, OSError, AttributeError, AssertionError and ArithmeticError; sequences nested
#: without end raise RecursionError, a RuntimeError; data that end early raise EOFError; values of
#: a wrong length raise pydicom's own BytesLengthException, which is no ValueError.
READING_ERRORS: Final = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
    ArithmeticError,
    AssertionError,
    struct.error,
    BytesLengthException,
)


@contextmanager
def silenced_reader() -> Iterator[None]:
    """Keep pydicom's warnings back while a data set is read: they quote values of the patient."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def values_of(dataset: Dataset, keyword: str) -> tuple[object, ...]:
    """Return the values of an attribute, empty where it is absent, empty or unreadable."""
    try:
        value = dataset[Tag(keyword)].value
        if value is None or value == "":
            return ()
        if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
            return (value,)
        return tuple(value)
    except READING_ERRORS:
        return ()


def text_of(dataset: Dataset, keyword: str) -> str:
    """Return an attribute as clean text: its first value up to a NUL, trimmed; empty if absent."""
    values = values_of(dataset, keyword)
    return clean_text(values[0]) if values else ""


def clean_text(value: object) -> str:
    """Return a value as text, cut at the first NUL and trimmed; some devices pad with garbage."""
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return text.split("\0", 1)[0].strip()


def numbers_of(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """Return the values of a numeric attribute; empty where one of them is not a finite number."""
    numbers = []
    for value in values_of(dataset, keyword):
        try:
            number = float(clean_text(value)) if isinstance(value, (str, bytes)) else _real(value)
        except READING_ERRORS:
            return ()
        if not math.isfinite(number):
            return ()
        numbers.append(number)
    return tuple(numbers)


def _real(value: object) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise TypeError("not a number")
    return float(value)


def whole_number_of(dataset: Dataset, keyword: str) -> int | None:
    """Return an attribute as a whole number, None where it is absent or no whole number."""
    numbers = numbers_of(dataset, keyword)
    if len(numbers) != 1 or numbers[0] != int(numbers[0]):
        return None
    return int(numbers[0])


def items_of(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """Return the items of a sequence, empty where it is absent or not a sequence."""
    return tuple(item for item in values_of(dataset, keyword) if isinstance(item, Dataset))
