"""`/v1/studies/{uid}/summary/report.*`: the reports of both eyes."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlmodel import Session, col, select

from api.dependencies import NodeParameter
from api.rest.kept_documents import (
    DICOM,
    PDF,
    PNG,
    dicom_file,
    kept_page,
    kept_picture,
    page,
    returns,
)
from core.both_eyes import read_both_eyes
from core.errors import RecordNotFound
from core.tables.instances import InstanceRow
from core.tables.studies import StudyRow
from core.tables.study_summaries import StudySummaryRow
from core.tables.summary_reports import SummaryReportRow
from core.values.both_eyes import BothEyes
from reports.both_eyes_page import draw_both_eyes_pdf, draw_both_eyes_png
from reports.report import ReportKind

ROUTER: Final = APIRouter(prefix="/v1/studies/{study_uid}/summary", tags=["studies"])

Version = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Of the summary; the latest reported one.")
]


@ROUTER.get("/report.dcm", summary="DICOM structured report of both eyes", **returns(DICOM))
def read_report(node: NodeParameter, study_uid: str, version: Version = None) -> Response:
    """Return the structured report of both eyes, byte for byte as it is kept and delivered."""
    with node.database.reading() as session:
        _, key = _kept(session, study_uid, ReportKind.STRUCTURED_REPORT, version)
    return dicom_file(node, key, study_uid)


@ROUTER.get("/report.png", summary="The page of both eyes as a picture", **returns(PNG))
def read_picture(node: NodeParameter, study_uid: str, version: Version = None) -> Response:
    """Return the picture of both eyes as it is kept and delivered.

    Drawn anew where a review said since that a result must not be used.
    """
    with node.database.reading() as session:
        summary, key = _kept(session, study_uid, ReportKind.SECONDARY_CAPTURE, version)
        withheld = _withheld(session, summary)
    picture = kept_picture(node, key) if withheld is None else draw_both_eyes_png(withheld)
    return Response(picture, media_type=PNG)


@ROUTER.get("/report.pdf", summary="The page of both eyes", **returns(PDF))
def read_page(node: NodeParameter, study_uid: str, version: Version = None) -> Response:
    """Return the page of both eyes as it is kept and delivered.

    Drawn anew where a review said since that a result must not be used.
    """
    with node.database.reading() as session:
        summary, key = _kept(session, study_uid, ReportKind.PDF, version)
        withheld = _withheld(session, summary)
    content = kept_page(node, key) if withheld is None else draw_both_eyes_pdf(withheld)
    return page(content, study_uid)


def _withheld(session: Session, summary: StudySummaryRow) -> BothEyes | None:
    """Return both eyes where a review withholds the result of one; None where it does not."""
    both = read_both_eyes(session, summary)
    return both if both is not None and both.withheld else None


def _kept(
    session: Session, study_uid: str, kind: ReportKind, version: int | None
) -> tuple[StudySummaryRow, str]:
    statement = (
        select(StudySummaryRow, InstanceRow.storage_key)
        .join(SummaryReportRow, col(SummaryReportRow.summary_key) == col(StudySummaryRow.id))
        .join(InstanceRow, col(InstanceRow.id) == col(SummaryReportRow.instance_key))
        .join(StudyRow, col(StudyRow.id) == col(StudySummaryRow.study_key))
        .where(col(StudyRow.study_instance_uid) == study_uid, col(SummaryReportRow.kind) == kind)
        .order_by(col(StudySummaryRow.version).desc())
    )
    if version is not None:
        statement = statement.where(col(StudySummaryRow.version) == version)
    found = session.exec(statement).first()
    if found is None:
        raise RecordNotFound(
            "There is no report of both eyes of that study and version: it is built once the "
            "summary is settled and each eye has a result, of which one at least may be used"
        )
    return found[0], found[1]
