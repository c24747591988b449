"""The documents of a result over HTTP: as they are kept, or made anew."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread, dcmwrite
from sqlmodel import select

from core.both_eyes import read_both_eyes
from core.database import Database
from core.reviews import record_review
from core.settings import Settings
from core.study_facts import read_facts
from core.tables.instances import InstanceOutcome
from core.tables.reports import ReportRow
from core.tables.studies import StudyRow
from core.tables.study_summaries import StudySummaryRow, SummaryState
from core.tables.summary_reports import SummaryReportRow
from core.values.prediction import Prediction
from core.values.review import Amendment, ReviewDecision, ReviewDraft
from dicom_node.storage.bytes import Storage
from reports.both_eyes_page import draw_both_eyes_pdf, draw_both_eyes_png
from reports.both_eyes_register import BOTH_EYES_FORMATS
from reports.encapsulated_pdf import EncapsulatedPdf
from reports.equipment import Equipment
from tests.builders.archive import keep_instance, keep_prediction
from tests.builders.both_eyes import SETTLED_AT, build_both_eyes, sources_of
from tests.builders.prediction import build_prediction
from tests.builders.review import REVIEWED_AT
from tests.builders.source import build_source
from tests.fixtures.http_server import http_server

PREDICTION = build_prediction(prediction_id="p1")


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return Storage(settings.storage)


@pytest.fixture
def client(settings: Settings, database: Database, storage: Storage) -> Iterator[httpx.Client]:
    with (
        http_server(settings, database, storage) as url,
        httpx.Client(base_url=url, timeout=60) as opened,
    ):
        yield opened


def keep(database: Database, prediction: Prediction) -> None:
    with database.transaction() as session:
        keep_prediction(session, prediction, None)


def keep_report(database: Database, storage: Storage, kind: str, report: Dataset) -> None:
    """Keep a report of the prediction of these tests."""
    buffer = BytesIO()
    dcmwrite(buffer, report, enforce_file_format=True)
    storage.put(f"ab/{kind}.dcm", buffer.getvalue())
    source = replace(PREDICTION.source, sop_instance_uid=report.SOPInstanceUID)
    with database.transaction() as session:
        row = keep_instance(
            session,
            PREDICTION.patient,
            source,
            outcome=InstanceOutcome.REPORT,
            storage_key=f"ab/{kind}.dcm",
        )
        session.add(ReportRow(prediction_id="p1", kind=kind, instance_key=row.id))


def keep_report_of_both_eyes(
    database: Database, storage: Storage, kind: str, report: Dataset, version: int
) -> None:
    """Keep a report of a version of the summary of the study of these tests."""
    buffer = BytesIO()
    dcmwrite(buffer, report, enforce_file_format=True)
    key = f"cd/{kind}-{version}.dcm"
    storage.put(key, buffer.getvalue())
    source = replace(
        PREDICTION.source,
        series_instance_uid=report.SeriesInstanceUID,
        sop_instance_uid=report.SOPInstanceUID,
    )
    with database.transaction() as session:
        row = keep_instance(session, PREDICTION.patient, source, storage_key=key)
        study = session.exec(select(StudyRow)).one()
        of_version = select(StudySummaryRow).where(StudySummaryRow.version == version)
        summary = session.exec(of_version).first() or StudySummaryRow(
            study_key=study.id,
            version=version,
            state=SummaryState.SETTLED,
            opened_at=SETTLED_AT,
            changed_at=SETTLED_AT,
            settled_at=SETTLED_AT,
        )
        session.add(summary)
        session.flush()
        session.add(SummaryReportRow(summary_key=summary.id, kind=kind, instance_key=row.id))


def test_page_is_drawn_until_one_is_kept_and_then_comes_as_kept(
    client: httpx.Client, database: Database, storage: Storage
) -> None:
    sources = [build_source(PREDICTION, PatientName="As^Kept")]
    kept = EncapsulatedPdf().build(PREDICTION, sources, Equipment("1", "1"))
    keep(database, PREDICTION)
    link = client.get("/v1/predictions/p1").json()["links"]["pdf"]

    drawn = client.get(link)
    keep_report(database, storage, "pdf", kept)
    answer = client.get(link)

    assert {drawn.headers["content-type"], answer.headers["content-type"]} == {"application/pdf"}
    assert drawn.content.startswith(b"%PDF-")
    assert answer.content == kept.EncapsulatedDocument[: kept.EncapsulatedDocumentLength]
    assert answer.content != drawn.content


def review(database: Database, decision: ReviewDecision, **draft: Any) -> None:
    with database.transaction() as session:
        record_review(session, "p1", ReviewDraft(decision, "dr-ito", **draft), REVIEWED_AT)


def test_what_must_not_be_used_is_marked_in_every_drawing_until_it_is_accepted_again(
    client: httpx.Client, database: Database, storage: Storage
) -> None:
    kept = EncapsulatedPdf().build(PREDICTION, [build_source(PREDICTION)], Equipment("1", "1"))
    keep(database, PREDICTION)
    keep_report(database, storage, "pdf", kept)

    def drawings() -> dict[str, bytes]:
        return {
            form: client.get(f"/v1/predictions/p1/report.{form}").content
            for form in ("pdf", "png", "svg")
        }

    plain = drawings()
    review(database, ReviewDecision.REJECT, comment="Drusen.")
    rejected = drawings()
    review(database, ReviewDecision.AMEND, amendment=Amendment(assessable=False))
    not_assessable = drawings()
    review(database, ReviewDecision.ACCEPT)

    assert drawings() == plain
    assert b"REJECTED, NOT TO BE USED" in rejected["svg"]
    assert b"NOT ASSESSABLE ACCORDING TO ITS REVIEW" in not_assessable["svg"]
    for form in plain:
        assert len({plain[form], rejected[form], not_assessable[form]}) == 3


def test_reports_of_both_eyes_come_as_kept_by_version(
    client: httpx.Client, database: Database, storage: Storage
) -> None:
    keep(database, PREDICTION)
    kept = {}
    for version in (1, 2):
        both = build_both_eyes(version=version)
        for report_format in BOTH_EYES_FORMATS:
            report = report_format.build_both(both, sources_of(both), Equipment("1", "1"))
            kept[report_format.kind, version] = report
            keep_report_of_both_eyes(database, storage, report_format.kind, report, version)
    path = "/v1/studies/2.25.101/summary"

    links = client.get(path).json()["links"]
    page, sr, png = (client.get(links[name]) for name in ("pdf", "report", "png"))
    first = client.get(f"{path}/report.pdf", params={"version": 1})
    latest = client.get(f"{path}/report.dcm")
    none = client.get(f"{path}/report.pdf", params={"version": 3})

    def inside(report: Dataset) -> bytes:
        return bytes(report.EncapsulatedDocument[: report.EncapsulatedDocumentLength])

    assert page.content == inside(kept["pdf", 2])
    assert first.content == inside(kept["pdf", 1])
    assert dcmread(BytesIO(sr.content)).SOPInstanceUID == kept["sr", 2].SOPInstanceUID
    assert latest.content == sr.content
    assert png.headers["content-type"] == "image/png"
    drawn = np.asarray(Image.open(BytesIO(png.content)))
    np.testing.assert_array_equal(drawn, kept["sc", 2].pixel_array)
    assert (none.status_code, none.headers["content-type"]) == (404, "application/problem+json")


def test_both_eyes_are_drawn_anew_once_a_result_of_theirs_must_not_be_used(
    client: httpx.Client, database: Database, storage: Storage
) -> None:
    both = build_both_eyes()
    for eye in both.eyes:
        keep(database, eye.prediction)
    for report_format in BOTH_EYES_FORMATS:
        report = report_format.build_both(both, sources_of(both), Equipment("1", "1"))
        keep_report_of_both_eyes(database, storage, report_format.kind, report, 1)
    with database.transaction() as session:
        summary = session.exec(select(StudySummaryRow)).one()
        summary.eyes = read_facts(session, summary.study_key).as_columns()["eyes"]

    def forms() -> list[bytes]:
        path = "/v1/studies/2.25.101/summary/report"
        return [client.get(f"{path}.{form}").content for form in ("dcm", "pdf", "png")]

    kept = forms()
    with database.transaction() as session:
        rejection = ReviewDraft(ReviewDecision.REJECT, "dr-ito", "Drusen.")
        record_review(session, "left", rejection, REVIEWED_AT)
    marked = forms()

    assert [before == after for before, after in zip(kept, marked, strict=True)] == [
        True,
        False,
        False,
    ]
    assert [Image.open(BytesIO(png)).size for png in (kept[2], marked[2])] == [(1240, 1753)] * 2
    with database.reading() as session:
        told = read_both_eyes(session, session.exec(select(StudySummaryRow)).one())
    assert told is not None
    assert marked[1:] == [draw_both_eyes_pdf(told), draw_both_eyes_png(told)]


def test_fhir_bundle_is_of_this_result(client: httpx.Client, database: Database) -> None:
    keep(database, PREDICTION)

    answer = client.get(client.get("/v1/predictions/p1").json()["links"]["fhir"])

    bundle = answer.json()
    resources = {entry["resource"]["resourceType"]: entry["resource"] for entry in bundle["entry"]}
    assert answer.headers["content-type"] == "application/fhir+json"
    assert bundle["resourceType"] == "Bundle"
    series = resources["ImagingStudy"]["series"][0]
    assert series["uid"] == PREDICTION.source.series_instance_uid
    assert series["instance"][0]["sopClass"]["code"] == "urn:oid:1.2.840.10008.5.1.4.1.1.77.1.5.4"
    assert resources["Device"]["serialNumber"] == "ARCUATE"
    (page,) = resources["DiagnosticReport"]["presentedForm"]
    assert client.get(page["url"]).content.startswith(b"%PDF-")
