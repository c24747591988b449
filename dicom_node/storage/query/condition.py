"""A match as a condition on a column, in the words of either database.

Beginnings are compared as ranges, which an index serves however the statement was prepared.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, collate, false, or_

from core.driver_statement import is_among
from dicom_node.storage.query.match import (
    AnyOf,
    Days,
    Match,
    NameLike,
    Numbers,
    OneOf,
    Times,
    Wildcard,
)
from dicom_node.storage.query.wildcard import (
    as_glob,
    as_like,
    following,
    has_wildcard,
    is_any,
    literal_prefix,
    name_patterns,
)

Condition = ColumnElement[bool]
_Columns = Sequence[ColumnElement[Any]]
#: More values than this are handed over as one list.
_FEW: Final = 8
#: Behind every digit and the full stop, in the order of code points.
_BEHIND_DIGITS: Final = ":"


def condition_of(columns: _Columns, match: Match, dialect: str) -> Condition:
    """Return the condition that one of the columns matches.

    Parameters
    ----------
    columns
        One, but for the three groups of a person name.
    """
    column = columns[0]
    match match:
        case NameLike(groups):
            return _is_named(columns, groups, dialect)
        case AnyOf(matches):
            return or_(*(condition_of(columns, one, dialect) for one in matches))
        case Days() | Times() | Numbers():
            return _is_in_order(column, match, dialect)
        case OneOf(values):
            return _is_one_of(column, values, dialect)
        case Wildcard(pattern):
            return _is_like(column, pattern, dialect)
    # An item of a sequence is no column.
    return false()


def _is_in_order(
    column: ColumnElement[Any], match: Days | Times | Numbers, dialect: str
) -> Condition:
    if isinstance(match, Numbers):
        return _is_number(column, match.values)
    if isinstance(match, Times):
        return _is_between(column, match, dialect)
    first = [column >= match.first] if match.first else []
    return and_(*first, *([column <= match.last] if match.last else []))


def _is_one_of(column: ColumnElement[Any], values: Sequence[str], dialect: str) -> Condition:
    if len(values) == 1:
        return column == values[0]
    return column.in_(values) if len(values) <= _FEW else is_among(column, values, dialect)


def _is_like(column: ColumnElement[Any], pattern: str, dialect: str) -> Condition:
    if not has_wildcard(pattern):
        return column == pattern
    prefix = literal_prefix(pattern)
    starts = [begins(column, prefix, dialect)] if prefix else []
    if prefix and is_any(pattern[len(prefix) :]):
        return and_(*starts)
    if dialect == "postgresql":
        return and_(*starts, column.like(as_like(pattern), escape="\\"))
    return and_(*starts, column.op("GLOB")(as_glob(pattern)))


def begins(column: ColumnElement[Any], prefix: str, dialect: str) -> Condition:
    """Return the condition that a text begins so; an index of patterns serves it."""
    after = following(prefix)
    # The operators of text_pattern_ops: byte by byte, whatever the language of the database.
    at_least, below = ("~>=~", "~<~") if dialect == "postgresql" else (">=", "<")
    starts = column.op(at_least, is_comparison=True)(prefix)
    return starts if after is None else and_(starts, column.op(below, is_comparison=True)(after))


def _is_between(column: ColumnElement[Any], times: Times, dialect: str) -> Condition:
    plain = collate(column, "C") if dialect == "postgresql" else column
    bounds = [column != ""]
    if times.first:
        bounds.append(plain >= times.first)
    if times.last:
        bounds.append(plain < times.last + _BEHIND_DIGITS)
    return and_(*bounds)


def _is_number(column: ColumnElement[Any], values: Sequence[int]) -> Condition:
    if column.type.python_type is int:
        return column.in_(values)
    # Kept as sent: IS may have zeros and a sign in front.
    forms = [form for value in values for form in (f"{value}", f"+{value}", f"{value:02}")]
    return column.in_([*dict.fromkeys(forms)])


def _is_named(columns: _Columns, groups: Sequence[str], dialect: str) -> Condition:
    if len(groups) == 1:
        return or_(*(_is_name(column, groups[0], dialect) for column in columns))
    asked = zip(columns, groups, strict=False)
    conditions = [_is_name(c, group, dialect) for c, group in asked if group and not is_any(group)]
    return and_(*conditions) if conditions else false()


def _is_name(column: ColumnElement[Any], pattern: str, dialect: str) -> Condition:
    alike = [_is_like(column, one, dialect) for one in name_patterns(pattern) if one]
    # A group that is not there is like none, though `*` alone would stand for it.
    return and_(or_(*alike), column != "")
