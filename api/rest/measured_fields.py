"""`/v1/measured-fields` and those of a patient: what perimeters found, beside our estimates."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from sqlmodel import col, select

from api.dependencies import NodeParameter
from api.rest.pages import integer_page, listing_of
from api.schemas.listing import Listing, PageQuery
from api.schemas.measured_fields import MeasuredFieldOut, measured_field_json
from api.schemas.problem import problems
from core.errors import RecordNotFound
from core.patients import find_patient
from core.tables.columns import key_of
from core.tables.measured_fields import MeasuredFieldRow
from core.values.laterality import Laterality
from core.values.measured_field import FieldPattern

ROUTER: Final = APIRouter(prefix="/v1", tags=["measured fields"])


class MeasuredFieldQuery(PageQuery):
    """Which measured fields."""

    issuer: str | None = None
    laterality: Laterality | None = None
    pattern: FieldPattern | None = None


@ROUTER.get(
    "/patients/{patient_id:path}/measured-fields",
    summary="Measured fields of a patient, latest recorded first",
    responses=problems(400, 404, 409),
)
def list_measured_fields(
    node: NodeParameter, patient_id: str, query: Annotated[MeasuredFieldQuery, Query()]
) -> Listing[MeasuredFieldOut]:
    """Return what perimeters measured of one patient; every filter narrows the list."""
    with node.database.reading() as session:
        patient = find_patient(session, patient_id, query.issuer)
        statement = select(MeasuredFieldRow).where(
            col(MeasuredFieldRow.patient_key) == key_of(patient)
        )
        if query.laterality is not None:
            statement = statement.where(col(MeasuredFieldRow.laterality) == query.laterality)
        if query.pattern is not None:
            statement = statement.where(col(MeasuredFieldRow.pattern) == query.pattern)
        rows, following = integer_page(
            session,
            statement,
            col(MeasuredFieldRow.id),
            query,
            "measured-fields",
            _key_of,
            newest_first=True,
        )
    return listing_of([measured_field_json(row) for row in rows], following)


@ROUTER.get(
    "/measured-fields/{measured_field_id}",
    summary="One measured field",
    responses=problems(404),
)
def read_measured_field(
    node: NodeParameter, measured_field_id: Annotated[int, Path(ge=1, lt=2**31)]
) -> MeasuredFieldOut:
    """Return one measured field."""
    with node.database.reading() as session:
        row = session.get(MeasuredFieldRow, measured_field_id)
    if row is None:
        raise RecordNotFound("There is no measured field with that id")
    return measured_field_json(row)


def _key_of(row: MeasuredFieldRow) -> int:
    return key_of(row)
