"""Wildcard patterns: `*` for any characters, `?` for one (PS3.4 C.2.2.2.4); and in SQL's words."""

import re
from typing import Final

from core.values.person_name import fold_group, fold_text

_WILD: Final = re.compile(r"([*?])")
_STARS: Final = re.compile(r"\*+")
_AROUND_CARET: Final = re.compile(r" *\^ *")
_SPACES: Final = re.compile(r" +")
_LAST_CHARACTER: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)


def has_wildcard(text: str) -> bool:
    """Whether a text is a pattern."""
    return "*" in text or "?" in text


def is_any(text: str) -> bool:
    """Whether a pattern matches everything."""
    return bool(text) and not text.strip("*")


def fold_pattern(text: str) -> str:
    """Return the pattern a group of a person name is compared with, folded like the name.

    Letters are folded without what is wild: a wide asterisk is a letter of a name, and stays one.
    """
    if not has_wildcard(text):
        return fold_group(text)
    parts = [part if part in {"*", "?"} else _fold_letters(part) for part in _WILD.split(text)]
    folded = _SPACES.sub(" ", _AROUND_CARET.sub("^", _STARS.sub("*", "".join(parts))))
    return folded.strip(" ").rstrip("^")


def _fold_letters(text: str) -> str:
    return fold_text(text).replace("*", "").replace("?", "")


def name_patterns(pattern: str) -> tuple[str, ...]:
    """Return a pattern with what it means where the components at its end are missing.

    Empty components at the end of a name are left out: `doe^*` means `doe`, too.
    """
    patterns = [pattern]
    while pattern.endswith("^*"):
        pattern = pattern[:-2].rstrip("^")
        patterns.append(pattern)
    return tuple(patterns)


def literal_prefix(pattern: str) -> str:
    """Return what every match begins with."""
    return _WILD.split(pattern, maxsplit=1)[0]


def following(prefix: str) -> str | None:
    """Return the first text behind all that begin so, by code points; None where none is."""
    for end in range(len(prefix), 0, -1):
        successor = ord(prefix[end - 1]) + 1
        if successor in _SURROGATES:
            successor = _SURROGATES.stop
        if successor <= _LAST_CHARACTER:
            return prefix[: end - 1] + chr(successor)
    return None


def as_like(pattern: str) -> str:
    r"""Return the pattern for LIKE … ESCAPE '\', as PostgreSQL compares: upper is not lower."""
    escaped = re.sub(r"([\\%_])", r"\\\1", _STARS.sub("*", pattern))
    return escaped.replace("*", "%").replace("?", "_")


def as_glob(pattern: str) -> str:
    """Return the pattern for GLOB, which compares so on SQLite, where LIKE does not."""
    return _STARS.sub("*", pattern).replace("[", "[[]")
