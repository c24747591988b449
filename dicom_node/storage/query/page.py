"""Reading what is told of some matches, by their keys: a few statements for many of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from core.driver_statement import DriverStatement, is_key_of
from dicom_node.storage.query.attribute import ATTRIBUTES, Attribute
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.query import NESTED_KEYS, Query
from dicom_node.storage.query.record import Record, Value
from dicom_node.storage.query.related import Related, read_related
from dicom_node.storage.query.selection import TABLES, joined_up

_KEY: Final = "key_{}"
_REQUESTS: Final = "RequestAttributesSequence"
_CONCEPT: Final = "ConceptNameCodeSequence"
#: What is read beside the columns of attributes, at the level it is kept.
_BESIDE: Final[Mapping[Level, tuple[str, ...]]] = {
    Level.PATIENT: (),
    Level.STUDY: (),
    Level.SERIES: ("scheduled_procedure_step_ids", "requested_procedure_ids"),
    Level.IMAGE: ("concept_name", "bytes_removed_at"),
}


def _plain_attributes(level: Level) -> list[Attribute]:
    return [a for a in ATTRIBUTES.values() if a.column is not None and level.reaches(a.level)]


def _statement(level: Level) -> DriverStatement:
    """Return the statement that reads everything kept of the keys of a level, and above it."""
    levels = [one for one in Level if level.reaches(one)]
    columns: list[Any] = [TABLES[one].c.id.label(_KEY.format(one)) for one in levels]
    columns += [TABLES[one].c[name].label(name) for one in levels for name in _BESIDE[one]]
    for attribute in _plain_attributes(level):
        assert attribute.column is not None  # noqa: S101 - it is a plain one
        columns.append(attribute.column.label(attribute.keyword))
    reading = joined_up(select(*columns), level, 0)
    return DriverStatement(
        lambda dialect: reading.where(is_key_of(TABLES[level].c.id, "keys", dialect))
    )


def _patients(level: Level) -> DriverStatement:
    """Return the statement that reads whose keys of a level are."""
    reading = joined_up(select(TABLES[Level.PATIENT].c.id).distinct(), level, 0)
    return DriverStatement(
        lambda dialect: reading.where(is_key_of(TABLES[level].c.id, "keys", dialect))
    )


def _names(level: Level) -> list[str]:
    levels = [one for one in Level if level.reaches(one)]
    beside = [name for one in levels for name in _BESIDE[one]]
    plain = [attribute.keyword for attribute in _plain_attributes(level)]
    return [*(_KEY.format(one) for one in levels), *beside, *plain]


_STATEMENTS: Final = {level: _statement(level) for level in Level}
_PATIENTS: Final = {level: _patients(level) for level in Level}
_NAMES: Final = {level: _names(level) for level in Level}


def patients_of(connection: Connection, query: Query, keys: Sequence[int]) -> list[int]:
    """Return the keys of the patients that matches belong to."""
    rows = _PATIENTS[query.level].run(connection, {"keys": list(keys)})
    return [int(key) for [key] in rows]


def read_page(connection: Connection, query: Query, keys: Sequence[int]) -> list[Record]:
    """Return a record for each key that is still there, in the order of the keys."""
    names = _NAMES[query.level]
    own = _KEY.format(query.level)
    rows = [
        dict(zip(names, row, strict=True))
        for row in _STATEMENTS[query.level].run(connection, {"keys": list(keys)})
    ]
    known = {row[own]: row for row in rows}
    found = [known[key] for key in keys if key in known]
    related = read_related(connection, query, _keys_by_level(query.level, found))
    return [_record(query, row, related) for row in found]


def _keys_by_level(level: Level, rows: Sequence[Mapping[str, Any]]) -> dict[Level, list[int]]:
    levels = [one for one in Level if level.reaches(one)]
    return {one: [*dict.fromkeys(row[_KEY.format(one)] for row in rows)] for one in levels}


def _record(query: Query, row: Mapping[str, Any], related: Related) -> Record:
    values: dict[str, tuple[Value, ...]] = {}
    for attribute in _ATTRIBUTES_OF[query.level]:
        value = row[attribute.keyword]
        values[attribute.keyword] = (
            () if value is None or value == "" else (_told(attribute, value),)
        )
    for level in Level:
        if query.level.reaches(level):
            values.update(related.told(level, row[_KEY.format(level)]))
    for keyword, read in _SEQUENCES.items():
        if query.level.reaches(ATTRIBUTES[keyword].level):
            values[keyword] = read(row)
    return Record(values, _is_online(query.level, row, related))


def _told(attribute: Attribute, value: Any) -> Value:
    if attribute.vr == "DA":
        # A date, or the ISO 8601 text that SQLite keeps of it.
        return str(value).replace("-", "")
    return value if isinstance(value, int) else str(value)


def _is_online(level: Level, row: Mapping[str, Any], related: Related) -> bool:
    if level is Level.IMAGE:
        return row["bytes_removed_at"] is None
    return related.is_online(level, row[_KEY.format(level)])


def _read_requests(row: Mapping[str, Any]) -> tuple[Value, ...]:
    steps = str(row["scheduled_procedure_step_ids"] or "").split("\\")
    requests = str(row["requested_procedure_ids"] or "").split("\\")
    count = max(len(steps), len(requests))
    items = [
        dict(zip(NESTED_KEYS[_REQUESTS], (_at(steps, n), _at(requests, n)), strict=True))
        for n in range(count)
    ]
    return tuple(item for item in items if any(item.values()))


def _read_concept(row: Mapping[str, Any]) -> tuple[Value, ...]:
    parts = str(row["concept_name"] or "").split("\\")
    names = NESTED_KEYS[_CONCEPT]
    return (dict(zip(names, parts, strict=True)),) if len(parts) == len(names) else ()


def _at(texts: Sequence[str], place: int) -> str:
    return texts[place] if place < len(texts) else ""


_SEQUENCES: Final[Mapping[str, Callable[[Mapping[str, Any]], tuple[Value, ...]]]] = {
    _REQUESTS: _read_requests,
    _CONCEPT: _read_concept,
}
_ATTRIBUTES_OF: Final = {level: _plain_attributes(level) for level in Level}
