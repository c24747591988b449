"""The statement that selects the keys of what matches, in a stable order."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Table, and_, exists, literal, or_, select

from dicom_node.storage.query.attribute import (
    ATTRIBUTES,
    INSTANCES,
    PATIENTS,
    SERIES,
    STUDIES,
    Attribute,
)
from dicom_node.storage.query.condition import Condition, condition_of
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.match import Days, Item, Match, OneOf, Times, Wildcard
from dicom_node.storage.query.query import NESTED_KEYS, Query

TABLES: Final[Mapping[Level, Table]] = {
    Level.PATIENT: PATIENTS,
    Level.STUDY: STUDIES,
    Level.SERIES: SERIES,
    Level.IMAGE: INSTANCES,
}
#: What leads from a level to the one above it.
_UPWARDS: Final[Mapping[Level, ColumnElement[bool]]] = {
    Level.STUDY: STUDIES.c.patient_key == PATIENTS.c.id,
    Level.SERIES: SERIES.c.study_key == STUDIES.c.id,
    Level.IMAGE: INSTANCES.c.series_key == SERIES.c.id,
}
#: Dates with the times that belong to them.
_MOMENTS: Final = {
    "StudyDate": "StudyTime",
    "SeriesDate": "SeriesTime",
    "PerformedProcedureStepStartDate": "PerformedProcedureStepStartTime",
    "ContentDate": "ContentTime",
}
#: An index has these in the order of the keys: nothing needs sorting.
_IN_ORDER: Final = frozenset({"SOPClassUID"})
#: Between the parts of what is kept of a sequence.
_BETWEEN: Final = "\\"
_REQUESTS: Final = {
    "ScheduledProcedureStepID": SERIES.c.scheduled_procedure_step_ids,
    "RequestedProcedureID": SERIES.c.requested_procedure_ids,
}


def select_keys(query: Query, dialect: str) -> Select[Any]:
    """Return the statement; one more than the maximum shows that something is cut.

    Studies and patients come newest first, what is below them in the order it came.
    """
    key = TABLES[query.level].c.id
    conditions = list(_conditions(query, dialect))
    statement = _joined(query).where(*conditions)
    # The order of an index would tempt either database to walk all of it for a rare match.
    is_in_order = set(query.matches) <= _IN_ORDER
    order: ColumnElement[Any] = key if is_in_order else key + literal(0)
    is_newest_first = query.level in {Level.PATIENT, Level.STUDY}
    return (
        statement.order_by(order.desc() if is_newest_first else order)
        .limit(query.maximum + 1)
        .offset(query.skipped)
    )


def _joined(query: Query) -> Select[Any]:
    top = min((ATTRIBUTES[keyword].level.depth for keyword in query.matches), default=9)
    return joined_up(select(TABLES[query.level].c.id), query.level, top)


def joined_up(statement: Select[Any], level: Level, top: int) -> Select[Any]:
    """Return a statement about a level with the tables above it, up to that depth."""
    joined: Any = TABLES[level]
    for step in range(level.depth, top, -1):
        below, above = list(Level)[step], list(Level)[step - 1]
        joined = joined.join(TABLES[above], _UPWARDS[below])
    return statement.select_from(joined)


def _conditions(query: Query, dialect: str) -> Iterator[Condition]:
    if query.level is Level.PATIENT:
        # What was merged into another record is found as that one.
        yield PATIENTS.c.merged_into.is_(None)
    combined = {day: time for day, time in _MOMENTS.items() if _is_combined(query, day, time)}
    for keyword, match in query.matches.items():
        if keyword in combined:
            yield _moment(query, keyword, combined[keyword], dialect)
        elif keyword not in combined.values():
            yield _condition(ATTRIBUTES[keyword], match, dialect)


def _condition(attribute: Attribute, match: Match, dialect: str) -> Condition:
    match attribute.keyword:
        case "ModalitiesInStudy":
            has = condition_of([SERIES.c.modality], match, dialect)
            return exists().where(SERIES.c.study_key == STUDIES.c.id, has)
        case "SOPClassesInStudy":
            has = condition_of([INSTANCES.c.sop_class_uid], match, dialect)
            below = and_(SERIES.c.study_key == STUDIES.c.id, INSTANCES.c.series_key == SERIES.c.id)
            return exists().where(below, has)
    if isinstance(match, Item):
        return and_(*(_item(attribute, name, one, dialect) for name, one in match.keys.items()))
    assert attribute.column is not None  # noqa: S101 - the others are above
    return condition_of(attribute.searched or (attribute.column,), match, dialect)


def _item(attribute: Attribute, keyword: str, match: Match, dialect: str) -> Condition:
    if attribute.keyword == "RequestAttributesSequence":
        listed = literal(_BETWEEN) + _REQUESTS[keyword] + literal(_BETWEEN)
        forms = ("*\\{}\\*",)
    else:
        place = NESTED_KEYS[attribute.keyword].index(keyword)
        listed = INSTANCES.c.concept_name
        forms = (_BETWEEN.join("{}" if n == place else "*" for n in range(3)),)
    texts = match.values if isinstance(match, OneOf) else (getattr(match, "pattern", ""),)
    patterns = [form.format(text) for text in texts for form in forms]
    return or_(*(condition_of([listed], Wildcard(pattern), dialect) for pattern in patterns))


def _is_combined(query: Query, day: str, time: str) -> bool:
    days, times = query.matches.get(day), query.matches.get(time)
    if not (query.combines_days_and_times and isinstance(days, Days) and isinstance(times, Times)):
        return False
    return days.first != days.last and times.is_range


def _moment(query: Query, day: str, time: str, dialect: str) -> Condition:
    """Return that times bound only the first and the last day, instead of every day."""
    days, times = query.matches[day], query.matches[time]
    assert isinstance(days, Days)  # noqa: S101 - it is combined
    assert isinstance(times, Times)  # noqa: S101 - it is combined
    column, clock = ATTRIBUTES[day].column, ATTRIBUTES[time].column
    assert column is not None  # noqa: S101 - both are kept
    assert clock is not None  # noqa: S101 - both are kept
    bounds = [condition_of([column], days, dialect)]
    if days.first and times.first:
        early = condition_of([clock], Times(times.first, ""), dialect)
        bounds.append(or_(column > days.first, early))
    if days.last and times.last:
        late = condition_of([clock], Times("", times.last), dialect)
        bounds.append(or_(column < days.last, late))
    return and_(*bounds)
