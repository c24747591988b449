"""Searching predictions, newest first.

First the keys of one page, from as few tables as the filters need, then the rows of those keys.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Table, literal, select, tuple_
from sqlalchemy.sql import visitors
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from api.cursors import encode_cursor, moment_cursor
from api.field_selection import Fields
from api.rest.prediction_query import PredictionFilter
from api.schemas.listing import Listing
from api.schemas.prediction_json import Beside, prediction_json
from api.schemas.predictions import PredictionOut
from core.audit.trail import note_count
from core.prediction_rows import PredictionRecord
from core.predictions import select_predictions
from core.reviews import last_reviews, open_requests
from core.tables.columns import UtcDateTime, table_of
from core.tables.instances import InstanceRow
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow

_LISTING: Final = "predictions"
#: What a prediction hangs on, each with what leads up to it.
_ABOVE: Final[tuple[tuple[type[Any], Any], ...]] = (
    (InstanceRow, col(InstanceRow.id) == col(PredictionRow.instance_key)),
    (SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key)),
    (StudyRow, col(StudyRow.id) == col(SeriesRow.study_key)),
    (PatientRow, col(PatientRow.id) == col(StudyRow.patient_key)),
)


class PredictionQuery(PredictionFilter):
    """What to search for, and what to tell of each."""

    fields: Fields = None


#: Where a page ends: the moment and the identifier of its last prediction.
Position = tuple[datetime, str]


def search_predictions(
    session: Session, query: PredictionFilter, *conditions: Any
) -> Listing[PredictionOut]:
    """Return one page of the predictions that match, newest first, as JSON."""
    page, following = page_of_records(session, query, *conditions)
    return Listing(items=predictions_json(session, page), next=following)


def page_of_records(
    session: Session, query: PredictionFilter, *conditions: Any
) -> tuple[Sequence[PredictionRecord], str | None]:
    """Return one page of the predictions that match, newest first, and the next page's cursor.

    Parameters
    ----------
    conditions
        Further ones, on the rows of predictions or of what those hang on.
    """
    after = None if query.cursor is None else moment_cursor(_LISTING, query.cursor)
    statement = select_page(query, after, query.limit + 1, *conditions)
    positions = [(at, key) for at, key in session.execute(statement).all()]
    page = positions[: query.limit]
    following = _cursor_after(page[-1]) if len(positions) > query.limit else None
    note_count(len(page))
    return _records_of(session, [key for _, key in page]), following


def select_page(
    query: PredictionFilter, after: Position | None, limit: int, *conditions: Any
) -> Any:
    """Return the statement for moment and identifier of the predictions of one page."""
    wanted = [*conditions, *query.conditions()]
    at, key = col(PredictionRow.predicted_at), col(PredictionRow.id)
    if after is not None:
        moment, identifier = after
        wanted.append(tuple_(at, key) < tuple_(literal(moment, UtcDateTime()), literal(identifier)))
    return (
        _joined(select(at, key), wanted).where(*wanted).order_by(at.desc(), key.desc()).limit(limit)
    )


def predictions_json(session: Session, records: Sequence[PredictionRecord]) -> list[PredictionOut]:
    """Return recorded predictions as JSON, each with what other rows say of it."""
    ids = [record[0].id for record in records]
    statement = select_rows(PredictionRow.superseded_by, PredictionRow.id).where(
        col(PredictionRow.superseded_by).in_(ids)
    )
    replaced = dict(session.exec(statement).all())
    reviews, requests = last_reviews(session, ids), open_requests(session, ids)
    return [
        prediction_json(record, Beside(replaced.get(i), reviews.get(i), requests.get(i)))
        for i, record in zip(ids, records, strict=True)
    ]


def _joined(statement: Any, conditions: Iterable[Any]) -> Any:
    """Return a statement about predictions with the tables above them that conditions name."""
    named = {
        element.table
        for condition in conditions
        for element in visitors.iterate(condition)
        if isinstance(element, Column) and isinstance(element.table, Table)
    }
    depth = max(
        (step for step, (row, _) in enumerate(_ABOVE, start=1) if table_of(row) in named), default=0
    )
    statement = statement.select_from(PredictionRow)
    for row, leads_up in _ABOVE[:depth]:
        statement = statement.join(row, leads_up)
    return statement


def _records_of(session: Session, keys: Sequence[str]) -> list[PredictionRecord]:
    statement = select_predictions().where(col(PredictionRow.id).in_(keys))
    found = {record[0].id: record for record in session.execute(statement).all()} if keys else {}
    return [found[key] for key in keys if key in found]


def _cursor_after(position: Position) -> str:
    at, key = position
    return encode_cursor(_LISTING, at.isoformat(), key)
