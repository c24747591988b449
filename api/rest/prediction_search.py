"""Searching predictions: the filters, in SQL, newest first."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BeforeValidator, Field, TypeAdapter
from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from api.cursors import encode_cursor, moment_cursor
from api.schemas.listing import Listing, PageQuery
from api.schemas.prediction_json import Beside, prediction_json
from api.schemas.predictions import PredictionOut
from core.audit.trail import note_count
from core.predictions import PredictionRecord, select_predictions
from core.reviews import last_reviews, open_requests
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.studies import StudyRow
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus

_LISTING: Final = "predictions"
_DATE_CHARACTERS: Final = len("2026-03-04")
_DATE: Final = TypeAdapter(date)


def _first_moment(text: object) -> object:
    return _moment_of_day(text, time.min)


def _last_moment(text: object) -> object:
    return _moment_of_day(text, time.max)


def _moment_of_day(text: object, at: time) -> object:
    """Turn a bare date into a moment of that day; a moment stays as it is.

    Days are days of the clinic, whose time zone is the node's, as devices name none.
    """
    if not isinstance(text, str) or len(text) != _DATE_CHARACTERS:
        return text
    return datetime.combine(_DATE.validate_python(text), at).astimezone()


class PredictionQuery(PageQuery):
    """What to search for; every filter narrows the list."""

    patient_id: str | None = None
    issuer: Annotated[str | None, Field(description="Empty: patients without one.")] = None
    study_uid: str | None = None
    accession_number: str | None = None
    laterality: Laterality | None = None
    model: Annotated[
        str | None, Field(description="NAME or NAME:VERSION.", examples=["retinervenet:1.0.0"])
    ] = None
    status: PredictionStatus | None = None
    acquired_from: Annotated[
        AwareDatetime | None,
        BeforeValidator(_first_moment),
        Field(description="Date or RFC 3339 time; scans without a time are left out."),
    ] = None
    acquired_to: Annotated[
        AwareDatetime | None,
        BeforeValidator(_last_moment),
        Field(description="Date (its whole day counts) or RFC 3339 time."),
    ] = None
    mean_deviation_max: Annotated[
        float | None,
        Field(allow_inf_nan=False, description="dB; only estimates at or below it."),
    ] = None


def search_predictions(
    session: Session, query: PredictionQuery, *conditions: Any
) -> Listing[PredictionOut]:
    """Return one page of the predictions that match, newest first, as JSON."""
    page, following = page_of_records(session, query, *conditions)
    return Listing(items=predictions_json(session, page), next=following)


def page_of_records(
    session: Session, query: PredictionQuery, *conditions: Any
) -> tuple[Sequence[PredictionRecord], str | None]:
    """Return one page of the predictions that match, newest first, and the next page's cursor."""
    statement = select_predictions().where(*conditions, *_conditions(query))
    if query.cursor is not None:
        statement = statement.where(_is_older(*moment_cursor(_LISTING, query.cursor)))
    newest_first = (col(PredictionRow.predicted_at).desc(), col(PredictionRow.id).desc())
    records = session.execute(statement.order_by(*newest_first).limit(query.limit + 1)).all()
    page = records[: query.limit]
    following = _cursor_after(page[-1]) if len(records) > query.limit else None
    note_count(len(page))
    return page, following


def predictions_json(session: Session, records: Sequence[PredictionRecord]) -> list[PredictionOut]:
    """Return recorded predictions as JSON, each with what other rows say of it."""
    ids = [record[0].id for record in records]
    statement = select(PredictionRow.superseded_by, PredictionRow.id).where(
        col(PredictionRow.superseded_by).in_(ids)
    )
    replaced = dict(session.exec(statement).all())
    reviews, requests = last_reviews(session, ids), open_requests(session, ids)
    return [
        prediction_json(record, Beside(replaced.get(i), reviews.get(i), requests.get(i)))
        for i, record in zip(ids, records, strict=True)
    ]


def _conditions(query: PredictionQuery) -> list[Any]:
    wanted: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
        (query.patient_id, lambda v: col(PatientRow.patient_id) == v),
        (query.issuer, lambda v: col(PatientRow.issuer) == v),
        (query.study_uid, lambda v: col(StudyRow.study_instance_uid) == v),
        (query.accession_number, lambda v: col(StudyRow.accession_number) == v),
        (query.laterality, lambda v: col(PredictionRow.laterality) == v),
        (query.model, _is_model),
        (query.status, lambda v: col(PredictionRow.status) == v),
        (query.acquired_from, lambda v: col(PredictionRow.acquired_at) >= v),
        (query.acquired_to, lambda v: col(PredictionRow.acquired_at) <= v),
        (query.mean_deviation_max, lambda v: col(PredictionRow.mean_deviation_db) <= v),
    )
    return [condition(value) for value, condition in wanted if value is not None]


def _is_model(text: str) -> Any:
    name, _, version = text.partition(":")
    is_named = col(PredictionRow.model_name) == name
    return and_(is_named, col(PredictionRow.model_version) == version) if version else is_named


def _is_older(moment: datetime, identifier: str) -> Any:
    at, key = col(PredictionRow.predicted_at), col(PredictionRow.id)
    return or_(at < moment, and_(at == moment, key < identifier))


def _cursor_after(record: PredictionRecord) -> str:
    row = record[0]
    return encode_cursor(_LISTING, row.predicted_at.isoformat(), row.id)
