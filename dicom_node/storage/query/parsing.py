"""Reading the value of a matching key; which kind of matching it asks for is in its form."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from dicom_node.errors import MatchingKeyInvalid
from dicom_node.storage.identifiers import is_uid
from dicom_node.storage.query.day_and_time import parse_days, parse_times
from dicom_node.storage.query.match import AnyOf, Match, NameLike, Numbers, OneOf, Wildcard
from dicom_node.storage.query.wildcard import fold_pattern, has_wildcard, is_any

#: UIDs one key may list: more than any study holds, fewer than a statement takes.
MAXIMUM_VALUES: Final = 5000
#: Values of other keys: each is a condition of its own.
_MAXIMUM_TEXTS: Final = 64
#: The longest value representation that is matched: three groups of a person name.
MAXIMUM_LENGTH: Final = 256
#: Delete, and halves of characters that no database takes.
_NEVER: Final = frozenset(["\x7f", *map(chr, range(0xD800, 0xE000))])
_LARGEST_NUMBER: Final = 2**31 - 1


def parse_key(keyword: str, vr: str, values: Sequence[str]) -> Match | None:
    """Return what a key asks for; None where anything matches (universal matching).

    Parameters
    ----------
    values
        Texts as sent, padding and all.

    Raises
    ------
    MatchingKeyInvalid
        If the value is none its value representation can have.
    """
    texts = [_clean(keyword, value) for value in values]
    if not texts or all(not text for text in texts) or any(is_any(text) for text in texts):
        return None
    texts = [text for text in dict.fromkeys(texts) if text]
    if len(texts) > (MAXIMUM_VALUES if vr == "UI" else _MAXIMUM_TEXTS):
        raise MatchingKeyInvalid(keyword, "has too many values")
    return _PARSERS.get(vr, _parse_texts)(keyword, texts)


def _clean(keyword: str, value: str) -> str:
    text = value.rstrip("\0 ").lstrip(" ")
    if len(text) > MAXIMUM_LENGTH:
        raise MatchingKeyInvalid(keyword, "is longer than any value may be")
    # The upper control characters are only what a wrong character set makes of a letter.
    if any(character < " " or character in _NEVER for character in text):
        raise MatchingKeyInvalid(keyword, "holds control characters")
    return text


def _parse_uids(keyword: str, texts: Sequence[str]) -> Match:
    if not all(is_uid(text) for text in texts):
        raise MatchingKeyInvalid(keyword, "is no UID, nor a list of UIDs")
    return OneOf(tuple(texts))


def _parse_texts(_keyword: str, texts: Sequence[str]) -> Match:
    plain = tuple(text for text in texts if not has_wildcard(text))
    matches: list[Match] = [Wildcard(text) for text in texts if has_wildcard(text)]
    return _any_of([OneOf(plain), *matches] if plain else matches)


def _parse_names(_keyword: str, texts: Sequence[str]) -> Match | None:
    names = [
        NameLike(tuple(fold_pattern(group) for group in text.split("=")[:3])) for text in texts
    ]
    if any(all(not group or is_any(group) for group in name.groups) for name in names):
        return None
    return _any_of(names)


def _parse_days(keyword: str, texts: Sequence[str]) -> Match:
    return _any_of([parse_days(keyword, text) for text in texts])


def _parse_times(keyword: str, texts: Sequence[str]) -> Match:
    return _any_of([parse_times(keyword, text) for text in texts])


def _parse_numbers(keyword: str, texts: Sequence[str]) -> Match:
    try:
        numbers = tuple(int(text) if text.isascii() else _not_ascii() for text in texts)
    except ValueError as error:
        raise MatchingKeyInvalid(keyword, "is no whole number") from error
    if any(abs(number) > _LARGEST_NUMBER for number in numbers):
        raise MatchingKeyInvalid(keyword, "is larger than any number may be")
    return Numbers(numbers)


def _not_ascii() -> int:
    raise ValueError


def _any_of(matches: Sequence[Match]) -> Match:
    return matches[0] if len(matches) == 1 else AnyOf(tuple(matches))


_PARSERS: Final[Mapping[str, Callable[[str, Sequence[str]], Match | None]]] = {
    "UI": _parse_uids,
    "PN": _parse_names,
    "DA": _parse_days,
    "TM": _parse_times,
    "IS": _parse_numbers,
    "US": _parse_numbers,
}
