"""`/v1/predictions/{id}/points.csv`: the 52 points as a table for a spreadsheet."""

import csv
import io
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from api.dependencies import NodeParameter
from api.rest.kept_documents import returns
from api.rest.predictions import find_record
from core.errors import RecordNotFound
from core.perimetry.nerve_fibres import ENTRY_ANGLES_DEGREE
from core.perimetry.pattern import LOCATIONS, Y_DEGREE, x_as_patient_sees
from core.prediction_rows import prediction_of
from core.values.prediction import Prediction

ROUTER: Final = APIRouter(prefix="/v1/predictions/{prediction_id}", tags=["predictions"])

CSV: Final = "text/csv"
#: No text of a patient or a device is in it, so that no spreadsheet takes one for a formula.
COLUMNS: Final = (
    "location",
    "x_degree",
    "y_degree",
    "estimated_sensitivity_db",
    "lower90_db",
    "upper90_db",
    "total_deviation_db",
    "pattern_deviation_db",
    "entry_angle_degree",
)


@ROUTER.get("/points.csv", summary="The 52 points as a table", **returns(CSV))
def read_points(node: NodeParameter, prediction_id: str) -> Response:
    """Return the estimate at each point, where the patient sees it, with its 90 % interval.

    Deviations are from the norm of the age; the entry angle is where the point's nerve fibres cross
    the 12° circle, counted from temporal over superior.
    """
    with node.database.reading() as session:
        prediction = prediction_of(find_record(session, prediction_id))
    headers = {"Content-Disposition": f'attachment; filename="{prediction_id}.csv"'}
    return Response(_table(prediction), media_type=CSV, headers=headers)


def _table(prediction: Prediction) -> str:
    estimate, deviations, eye = prediction.estimate, prediction.deviations, prediction.laterality
    if estimate is None or deviations is None or eye is None:
        raise RecordNotFound("There is no estimate to write into a table")
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    numbers = zip(
        x_as_patient_sees(eye),
        Y_DEGREE,
        estimate.sensitivities_db,
        estimate.lower_db,
        estimate.upper_db,
        deviations.total_deviation_db,
        deviations.pattern_deviation_db,
        ENTRY_ANGLES_DEGREE,
        strict=True,
    )
    for location, row in zip(LOCATIONS, numbers, strict=True):
        writer.writerow([int(location), *(f"{float(value):.6g}" for value in row)])
    return written.getvalue()
