"""`/v1/patients/{patient_id}/eyes/{R|L}/trend`: one eye over time."""

from typing import Final

from fastapi import APIRouter

from api.dependencies import NodeParameter
from api.rest.patients import Issuer
from api.schemas.problem import problems
from api.schemas.trends import TrendOut, trend_json
from core.patients import find_patient
from core.tables.columns import key_of
from core.trends.reading import read_trend
from core.values.laterality import Laterality

ROUTER: Final = APIRouter(prefix="/v1/patients", tags=["patients"])


@ROUTER.get(
    "/{patient_id:path}/eyes/{laterality}/trend",
    summary="One eye over time",
    responses=problems(404, 409),
)
def read_eye_trend(
    node: NodeParameter, patient_id: str, laterality: Laterality, issuer: Issuer = None
) -> TrendOut:
    """Return every result of an eye, with a line for each run of what can be compared.

    Nothing is mixed: visits of another device, another kind of scan or another version of a model
    are another run. What was rejected, replaced or not assessable is in no line.
    """
    with node.database.reading() as session:
        patient = find_patient(session, patient_id, issuer)
        return trend_json(patient, read_trend(session, key_of(patient), laterality))
