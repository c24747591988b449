"""`/v1/predictions/{id}/report.*`, `bscan.png` and `fundus.jpg`: the same result in other forms."""

import json
from dataclasses import replace
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session, col, select

from api.dependencies import Node, NodeParameter
from api.rest.kept_documents import DICOM, PDF, PNG, dicom_file, kept_page, page, returns
from api.rest.predictions import find_record
from core.errors import RecordNotFound
from core.prediction_rows import prediction_of
from core.predictions import load_prediction, picture_key
from core.report_context import read_context
from core.reviews import last_reviews
from core.tables.instances import InstanceRow
from core.tables.reports import ReportRow
from core.values.prediction import Prediction
from core.values.review import Review
from dicom_node.storage.pictures import read_picture
from reports.clinical_page import draw_page_pdf
from reports.fhir.bundle import build_bundle
from reports.field_plot import draw_field_png, draw_field_svg
from reports.report import ReportKind
from reports.service import service_equipment

ROUTER: Final = APIRouter(prefix="/v1/predictions/{prediction_id}", tags=["predictions"])

JPEG: Final = "image/jpeg"
FHIR: Final = "application/fhir+json"
SVG: Final = "image/svg+xml"

#: A drawing styles its own lines; nothing else may run or load in it.
_DRAWING_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
)


@ROUTER.get("/report.dcm", summary="DICOM structured report", **returns(DICOM))
def read_structured_report(node: NodeParameter, prediction_id: str) -> Response:
    """Return the structured report as a DICOM file, byte for byte as it is kept and delivered."""
    with node.database.reading() as session:
        storage_key = _report_key(session, prediction_id, ReportKind.STRUCTURED_REPORT)
    return dicom_file(node, storage_key, prediction_id)


@ROUTER.get("/report.png", summary="The field as a picture", **returns(PNG))
def read_field_png(node: NodeParameter, prediction_id: str) -> Response:
    """Draw the estimated field, or why there is none; what must not be used is marked."""
    prediction, withheld = _with_picture(node, prediction_id), _withheld(node, prediction_id)
    return Response(draw_field_png(prediction, withheld), media_type=PNG)


@ROUTER.get("/report.svg", summary="The field as a scalable picture", **returns(SVG))
def read_field_svg(node: NodeParameter, prediction_id: str) -> Response:
    """Draw the estimated field, or why there is none; what must not be used is marked."""
    headers = {"Content-Security-Policy": _DRAWING_POLICY}
    prediction, withheld = _with_picture(node, prediction_id), _withheld(node, prediction_id)
    drawing = draw_field_svg(prediction, withheld)
    return Response(drawing, media_type=SVG, headers=headers)


@ROUTER.get("/report.pdf", summary="The page for the file", **returns(PDF))
def read_page(node: NodeParameter, prediction_id: str) -> Response:
    """Return the page as it is kept and delivered.

    Drawn anew where none was kept, and with a mark over it where a review said since that it must
    not be used.
    """
    with node.database.reading() as session:
        find_record(session, prediction_id)
        storage_key = _kept_key(session, prediction_id, ReportKind.PDF)
    withheld = _withheld(node, prediction_id)
    if storage_key is None or withheld is not None:
        return page(_drawn_page(node, prediction_id, withheld), prediction_id)
    return page(kept_page(node, storage_key), prediction_id)


@ROUTER.get("/report.fhir.json", summary="FHIR R4 bundle", **returns(FHIR))
def read_fhir(node: NodeParameter, prediction_id: str) -> Response:
    """Return the result as a bundle: diagnostic report, observations, device, provenance."""
    with node.database.reading() as session:
        record = find_record(session, prediction_id)
        prediction, sop_class_uid = prediction_of(record), record[1].sop_class_uid
        review = last_reviews(session, [prediction_id]).get(prediction_id)
    equipment = service_equipment(node.settings)
    page_path = f"/v1/predictions/{prediction_id}/report.pdf"
    bundle = build_bundle(prediction, sop_class_uid, equipment, page_path, review)
    return Response(json.dumps(bundle, ensure_ascii=False), media_type=FHIR)


@ROUTER.get("/bscan.png", summary="The scan's own picture", **returns(PNG))
def read_bscan(node: NodeParameter, prediction_id: str) -> Response:
    """Return what the estimate was made from, as the device displayed it."""
    with node.database.reading() as session:
        preview_key = find_record(session, prediction_id)[0].preview_key
    if preview_key is None:
        raise RecordNotFound("No picture of this scan was kept")
    return Response(node.storage.read(preview_key), media_type=PNG)


@ROUTER.get("/fundus.jpg", summary="The picture of the fundus", **returns(JPEG))
def read_fundus(node: NodeParameter, prediction_id: str) -> Response:
    """Return the localizer, the map or the photograph, with the head up and the left on the right.

    At most 640 pixels a side; the scan's own picture is in the archive.
    """
    with node.database.reading() as session:
        fundus_key = find_record(session, prediction_id)[0].fundus_key
    if fundus_key is None:
        raise RecordNotFound("No picture of the fundus was kept with this result")
    return Response(node.storage.read(fundus_key), media_type=JPEG)


def _with_picture(node: Node, prediction_id: str) -> Prediction:
    with node.database.reading() as session:
        prediction = load_prediction(session, prediction_id)
        key = picture_key(session, prediction_id)
    return replace(prediction, picture=read_picture(node.storage, key))


def _withheld(node: Node, prediction_id: str) -> Review | None:
    """Return the decision that nobody must take the numbers any more; None where there is none."""
    with node.database.reading() as session:
        review = last_reviews(session, [prediction_id]).get(prediction_id)
    return review if review is not None and review.withholds_numbers else None


def _drawn_page(node: Node, prediction_id: str, withheld: Review | None) -> bytes:
    prediction = _with_picture(node, prediction_id)
    with node.database.reading() as session:
        context = read_context(session, prediction_id)
    return draw_page_pdf(prediction, context, withheld)


def _report_key(session: Session, prediction_id: str, kind: ReportKind) -> str:
    find_record(session, prediction_id)
    storage_key = _kept_key(session, prediction_id, kind)
    if storage_key is None:
        raise RecordNotFound("The report is not built yet; its job is listed under /v1/jobs")
    return storage_key


def _kept_key(session: Session, prediction_id: str, kind: ReportKind) -> str | None:
    statement = (
        select(InstanceRow.storage_key)
        .join(ReportRow, col(ReportRow.instance_key) == col(InstanceRow.id))
        .where(col(ReportRow.prediction_id) == prediction_id, col(ReportRow.kind) == kind)
        # The last one: what was decided since the estimate stands in it.
        .order_by(col(ReportRow.version).desc())
    )
    return session.exec(statement).first()
