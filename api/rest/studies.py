"""`/v1/studies`: by study."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field
from sqlmodel import Session, col, select

from api.dependencies import NodeParameter
from api.entity_tags import TaggedRoute
from api.field_selection import Fields, OneFields, one, page
from api.rest.pages import integer_page, listing_of
from api.rest.prediction_query import From, To
from api.rest.prediction_search import PredictionQuery, search_predictions
from api.rest.summaries import find_summary
from api.schemas.listing import Listing, PageQuery
from api.schemas.predictions import PredictionOut
from api.schemas.problem import NOT_MODIFIED, problems
from api.schemas.studies import (
    InstanceOut,
    StudyDetailOut,
    StudyOut,
    instance_of_rows,
    study_of_rows,
)
from api.schemas.summaries import SummaryOut
from core.errors import RecordNotFound
from core.patients import keys_named
from core.tables.instances import InstanceRow
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow

ROUTER: Final = APIRouter(prefix="/v1/studies", tags=["studies"], route_class=TaggedRoute)

StudyRecord = tuple[StudyRow, PatientRow]
InstanceRecord = tuple[InstanceRow, SeriesRow]


class StudyQuery(PageQuery):
    """Which studies."""

    accession_number: str | None = None
    patient_id: Annotated[
        str | None, Field(description="Also one the patient had before a merge.")
    ] = None
    issuer: str | None = None
    study_date_from: date | None = None
    study_date_to: date | None = None
    received_from: From = None
    received_to: To = None
    fields: Fields = None


@ROUTER.get(
    "",
    summary="Search studies",
    response_model=Listing[StudyOut],
    responses={**problems(400), **NOT_MODIFIED},
)
def search_studies(
    node: NodeParameter, query: Annotated[StudyQuery, Query()]
) -> Listing[StudyOut] | Response:
    """Return studies, the one that arrived last first."""
    statement = _select_studies().where(*_conditions(query))
    with node.database.reading() as session:
        records, following = integer_page(
            session, statement, col(StudyRow.id), query, "studies", _study_key, newest_first=True
        )
    listing = listing_of([study_of_rows(*record) for record in records], following)
    return page(listing, query.fields, StudyOut)


@ROUTER.get(
    "/{study_uid}",
    summary="One study",
    response_model=StudyDetailOut,
    responses={**problems(400, 404), **NOT_MODIFIED},
)
def read_study(
    node: NodeParameter, study_uid: str, fields: OneFields = None
) -> StudyDetailOut | Response:
    """Return one study with its patient and what is known of both eyes."""
    with node.database.reading() as session:
        study, patient = _find_study(session, study_uid)
        summary = find_summary(session, study)
    return one(StudyDetailOut(**dict(study_of_rows(study, patient)), summary=summary), fields)


@ROUTER.get("/{study_uid}/summary", summary="Both eyes of a study", responses=problems(404))
def read_summary(
    node: NodeParameter,
    study_uid: str,
    version: Annotated[
        int | None, Query(ge=1, description="An earlier one; else the latest.")
    ] = None,
) -> SummaryOut:
    """Return what is known of both eyes: settled, or so far while something is still to come."""
    with node.database.reading() as session:
        study, _ = _find_study(session, study_uid)
        summary = find_summary(session, study, version)
    if summary is None:
        raise RecordNotFound("The study has no summary of that version yet")
    return summary


@ROUTER.get(
    "/{study_uid}/predictions",
    summary="Predictions of a study, newest first",
    response_model=Listing[PredictionOut],
    responses={**problems(400, 404), **NOT_MODIFIED},
)
def study_predictions(
    node: NodeParameter, study_uid: str, query: Annotated[PredictionQuery, Query()]
) -> Listing[PredictionOut] | Response:
    """Return what was estimated from one study; every filter of the search applies too."""
    with node.database.reading() as session:
        study, _ = _find_study(session, study_uid)
        found = search_predictions(session, query, col(StudyRow.id) == study.id)
    return page(found, query.fields, PredictionOut)


@ROUTER.get(
    "/{study_uid}/instances",
    summary="Instances of a study and how each ended",
    responses=problems(400, 404),
)
def study_instances(
    node: NodeParameter, study_uid: str, query: Annotated[PageQuery, Query()]
) -> Listing[InstanceOut]:
    """Return everything kept of one study: scans, what is `not_model_input`, and our reports."""
    with node.database.reading() as session:
        study, _ = _find_study(session, study_uid)
        statement = (
            select(InstanceRow, SeriesRow)
            .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
            .where(col(SeriesRow.study_key) == study.id)
        )
        records, following = integer_page(
            session, statement, col(InstanceRow.id), query, "instances", _instance_key
        )
        made = _predictions_of(session, [instance.id for instance, _ in records])
    items = [instance_of_rows(*record, made[record[0].id]) for record in records]
    return listing_of(items, following)


def _select_studies() -> Any:
    return select(StudyRow, PatientRow).join(
        PatientRow, col(PatientRow.id) == col(StudyRow.patient_key)
    )


def _find_study(session: Session, study_uid: str) -> StudyRecord:
    statement = _select_studies().where(col(StudyRow.study_instance_uid) == study_uid)
    record: StudyRecord | None = session.exec(statement).first()
    if record is None:
        raise RecordNotFound("There is no study with that Study Instance UID")
    return record


def _predictions_of(session: Session, keys: Sequence[int | None]) -> dict[int | None, list[str]]:
    statement = (
        select(PredictionRow.instance_key, PredictionRow.id)
        .where(col(PredictionRow.instance_key).in_(keys))
        .order_by(col(PredictionRow.predicted_at), col(PredictionRow.id))
    )
    made: dict[int | None, list[str]] = defaultdict(list)
    for key, prediction_id in session.exec(statement).all():
        made[key].append(prediction_id)
    return made


def _conditions(query: StudyQuery) -> list[Any]:
    wanted = (
        (query.accession_number, col(StudyRow.accession_number).__eq__),
        (query.study_date_from, col(StudyRow.study_date).__ge__),
        (query.study_date_to, col(StudyRow.study_date).__le__),
        (query.received_from, col(StudyRow.received_at).__ge__),
        (query.received_to, col(StudyRow.received_at).__le__),
    )
    conditions = [compare(value) for value, compare in wanted if value is not None]
    if query.patient_id is not None:
        named = keys_named(query.patient_id, query.issuer)
        conditions.append(col(StudyRow.patient_key).in_(named))
    elif query.issuer is not None:
        conditions.append(col(PatientRow.issuer) == query.issuer)
    return conditions


def _study_key(record: StudyRecord) -> int:
    assert record[0].id is not None  # noqa: S101 - it was read from the table
    return record[0].id


def _instance_key(record: InstanceRecord) -> int:
    assert record[0].id is not None  # noqa: S101 - it was read from the table
    return record[0].id
