"""Descriptions made of words that name no one."""

import re
from functools import cache
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).parent / "descriptor_words.txt"
_WORD: Final = re.compile(r"[^\W\d_]+")
#: A number of more digits could be somebody's.
_LONG_NUMBER: Final = re.compile(r"\d{4}")


def is_of_the_field(text: str) -> bool:
    """Whether a description holds only words of the field, short numbers and punctuation."""
    if _LONG_NUMBER.search(text):
        return False
    return all(word.casefold() in _words() for word in _WORD.findall(text))


@cache
def _words() -> frozenset[str]:
    lines = _FILE.read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
