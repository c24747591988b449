"""`/v1/predictions/{id}/report.*` and `bscan.png`: the same result in other forms."""

from dataclasses import replace
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session, col, select

from api.dependencies import Node, NodeParameter
from api.rest.predictions import find_record
from api.schemas.problem import problems
from core.errors import RecordNotFound
from core.predictions import load_prediction, picture_key
from core.tables.instances import InstanceRow
from core.tables.reports import ReportRow
from core.values.prediction import Prediction
from dicom_node.storage.pictures import read_picture
from reports.field_plot import draw_field_png, draw_field_svg
from reports.report import ReportKind

ROUTER: Final = APIRouter(prefix="/v1/predictions/{prediction_id}", tags=["predictions"])

PNG: Final = "image/png"
SVG: Final = "image/svg+xml"
DICOM: Final = "application/dicom"

#: A drawing styles its own lines; nothing else may run or load in it.
_DRAWING_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
)


def _returns(media_type: str) -> dict[str, Any]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    answers: dict[Any, Any] = {**problems(404), 200: {"content": content}}
    return {"response_class": Response, "responses": answers}


@ROUTER.get("/report.dcm", summary="DICOM structured report", **_returns(DICOM))
def read_structured_report(node: NodeParameter, prediction_id: str) -> Response:
    """Return the structured report as a DICOM file, byte for byte as it is kept and delivered."""
    with node.database.reading() as session:
        storage_key = _report_key(session, prediction_id, ReportKind.STRUCTURED_REPORT)
    return Response(
        node.storage.read(storage_key),
        media_type=DICOM,
        headers={"Content-Disposition": f'attachment; filename="{prediction_id}.dcm"'},
    )


@ROUTER.get("/report.png", summary="The field as a picture", **_returns(PNG))
def read_field_png(node: NodeParameter, prediction_id: str) -> Response:
    """Draw the estimated field, or the reasons why there is none."""
    return Response(draw_field_png(_with_picture(node, prediction_id)), media_type=PNG)


@ROUTER.get("/report.svg", summary="The field as a scalable picture", **_returns(SVG))
def read_field_svg(node: NodeParameter, prediction_id: str) -> Response:
    """Draw the estimated field, or the reasons why there is none."""
    headers = {"Content-Security-Policy": _DRAWING_POLICY}
    drawing = draw_field_svg(_with_picture(node, prediction_id))
    return Response(drawing, media_type=SVG, headers=headers)


@ROUTER.get("/bscan.png", summary="The scan's own picture", **_returns(PNG))
def read_bscan(node: NodeParameter, prediction_id: str) -> Response:
    """Return what the estimate was made from, as the device displayed it."""
    with node.database.reading() as session:
        preview_key = find_record(session, prediction_id)[0].preview_key
    if preview_key is None:
        raise RecordNotFound("No picture of this scan was kept")
    return Response(node.storage.read(preview_key), media_type=PNG)


def _with_picture(node: Node, prediction_id: str) -> Prediction:
    with node.database.reading() as session:
        prediction = load_prediction(session, prediction_id)
        key = picture_key(session, prediction_id)
    return replace(prediction, picture=read_picture(node.storage, key))


def _report_key(session: Session, prediction_id: str, kind: ReportKind) -> str:
    find_record(session, prediction_id)
    statement = (
        select(InstanceRow.storage_key)
        .join(ReportRow, col(ReportRow.instance_key) == col(InstanceRow.id))
        .where(col(ReportRow.prediction_id) == prediction_id, col(ReportRow.kind) == kind)
        # The last one: what was decided since the estimate stands in it.
        .order_by(col(ReportRow.version).desc())
    )
    storage_key = session.exec(statement).first()
    if storage_key is None:
        raise RecordNotFound("The report is not built yet; its job is listed under /v1/jobs")
    return storage_key
