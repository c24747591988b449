"""The parameters of a search (PS3.18 8.3.4, 10.6.1): attributes to match, and how much to tell."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pydicom.datadict import dictionary_has_tag, keyword_for_tag, tag_for_keyword

from api.errors import ParameterInvalid
from dicom_node.errors import MatchingKeyInvalid
from dicom_node.storage.identifiers import is_uid
from dicom_node.storage.query.attribute import ATTRIBUTES
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.match import Item, Match, OneOf
from dicom_node.storage.query.parsing import parse_key
from dicom_node.storage.query.query import NESTED_KEYS, Query, searchable, tellable

_TAG: Final = re.compile(r"[0-9A-Fa-f]{8}")
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_SEPARATORS: Final = re.compile(r"[\\,]")
#: Value representations in whose values a comma has no place, so that it may separate them.
_SEPARATED_BY_COMMA: Final = frozenset({"UI", "CS"})
_TRUTHS: Final = {"true": True, "false": False}
#: Parameters that are no attributes. `accept` is read with the header of that name.
_OTHERS: Final = frozenset({"limit", "offset", "fuzzymatching", "includefield", "accept"})
_EVERYTHING: Final = "all"


@dataclass(frozen=True)
class SearchParameters:
    """What a search asks for.

    Attributes
    ----------
    ignored
        Names of attributes that cannot be looked for at this level.
    is_limited
        Whether the maximum is ours, and not what the client asked for.
    """

    query: Query
    ignored: tuple[str, ...]
    is_fuzzy: bool
    is_limited: bool


@dataclass
class _Reading:
    """Parameters while they are read."""

    level: Level
    asked: set[str]
    matches: dict[str, Match]
    ignored: list[str]

    def take(self, given: Iterable[tuple[str, str]]) -> None:
        """Take in every parameter that names attributes."""
        for name, value in given:
            if name == "includefield":
                for field in filter(None, value.split(",")):
                    self.take_field(field.strip())
            elif name not in _OTHERS:
                self.take_attribute(name, value)

    def take_field(self, name: str) -> None:
        """Take in what is to be told beside the usual."""
        if name == _EVERYTHING:
            self.asked.update(k for k in ATTRIBUTES if tellable(k, self.level))
            return
        keyword = _keyword(name.split(".", maxsplit=1)[0], "includefield")
        if tellable(keyword, self.level):
            self.asked.add(keyword)

    def take_attribute(self, name: str, value: str) -> None:
        """Take in what is to match."""
        first, *inner = [_keyword(part, name) for part in name.split(".")]
        attribute = searchable(first, self.level)
        is_known = attribute is not None and (
            inner == [] if attribute.vr != "SQ" else inner[1:] == [] and _is_nested(first, inner)
        )
        if attribute is None or not is_known:
            self.ignored.append(name)
            return
        self.asked.add(first)
        keyword, vr = (inner[0], "SH") if inner else (first, attribute.vr)
        match = _parse(name, keyword, vr, value)
        if match is not None:
            self._add(name, first, keyword, match)

    def _add(self, name: str, first: str, keyword: str, match: Match) -> None:
        known = self.matches.get(first)
        if first != keyword:
            keys = dict(known.keys) if isinstance(known, Item) else {}
            self.matches[first] = Item({**keys, keyword: match})
        elif isinstance(known, OneOf) and isinstance(match, OneOf) and name.endswith("UID"):
            self.matches[first] = OneOf((*known.values, *match.values))
        elif known is not None:
            raise ParameterInvalid(name, "is there more than once")
        else:
            self.matches[first] = match


def read_search(
    level: Level,
    parameters: Iterable[tuple[str, str]],
    within: dict[str, str],
    usual: frozenset[str],
    largest: int,
) -> SearchParameters:
    """Read the parameters.

    Parameters
    ----------
    parameters
        Names and values, decoded, in the order they came.
    within
        The UIDs the address names, by keyword.
    usual
        Keywords that are told in any case.
    largest
        How many results there may be at most.

    Raises
    ------
    ParameterInvalid
        If a name is no attribute, or a value one that it cannot have.
    """
    given = list(parameters)
    reading = _Reading(level, set(usual), {}, [])
    reading.take(given)
    for keyword, uid in within.items():
        reading.matches[keyword] = _narrowed(reading.matches.get(keyword), keyword, uid)
    limit = _number(given, "limit")
    return SearchParameters(
        query=Query(
            level=level,
            matches=reading.matches,
            asked=frozenset(reading.asked),
            maximum=min(largest, largest if limit is None else limit),
            skipped=_number(given, "offset") or 0,
            combines_days_and_times=True,
        ),
        ignored=tuple(reading.ignored),
        is_fuzzy=_is_fuzzy(given),
        is_limited=limit is None or limit > largest,
    )


def _keyword(name: str, parameter: str) -> str:
    """Return the keyword of an attribute named by keyword or tag; empty for an unknown tag."""
    if _TAG.fullmatch(name):
        tag = int(name, 16)
        return keyword_for_tag(tag) if dictionary_has_tag(tag) else ""
    if not name or tag_for_keyword(name) is None:
        raise ParameterInvalid(
            parameter, "is no attribute: use its keyword, or its tag as GGGGEEEE"
        )
    return name


def _is_nested(sequence: str, inner: list[str]) -> bool:
    return bool(inner) and inner[0] in NESTED_KEYS[sequence]


def _parse(name: str, keyword: str, vr: str, value: str) -> Match | None:
    values = _SEPARATORS.split(value) if vr in _SEPARATED_BY_COMMA else value.split("\\")
    if "\0" in value:
        # Padding in DIMSE, where values have an even length; here there is none.
        raise ParameterInvalid(name, "holds control characters")
    try:
        return parse_key(keyword, vr, values)
    except MatchingKeyInvalid as error:
        raise ParameterInvalid(name, error.fault) from error


def _narrowed(known: Match | None, keyword: str, uid: str) -> Match:
    """Return that the address names this UID, and the parameters, if any, do not exclude it."""
    if not is_uid(uid):
        raise ParameterInvalid(keyword, "is no UID")
    is_excluded = isinstance(known, OneOf) and uid not in known.values
    return OneOf(() if is_excluded else (uid,))


def _only(given: Iterable[tuple[str, str]], wanted: str) -> str | None:
    values = [value for name, value in given if name == wanted]
    if len(values) > 1:
        raise ParameterInvalid(wanted, "is there more than once")
    return values[0] if values else None


def _number(given: Iterable[tuple[str, str]], name: str) -> int | None:
    text = _only(given, name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise ParameterInvalid(name, "is no whole number from 0 to 999999999")
    return int(text)


def _is_fuzzy(given: Iterable[tuple[str, str]]) -> bool:
    text = _only(given, "fuzzymatching")
    if text is not None and text not in _TRUTHS:
        raise ParameterInvalid("fuzzymatching", "is neither true nor false")
    return _TRUTHS[text or "false"]
