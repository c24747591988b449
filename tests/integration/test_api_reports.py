"""The documents of a result over HTTP: as they are kept, or made anew."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import httpx
import pytest
from pydicom import Dataset, dcmwrite

from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceOutcome
from core.tables.reports import ReportRow
from core.values.prediction import Prediction
from dicom_node.storage.bytes import Storage
from reports.encapsulated_pdf import EncapsulatedPdf
from reports.equipment import Equipment
from tests.builders.archive import keep_instance, keep_prediction
from tests.builders.prediction import build_prediction
from tests.builders.source import build_source
from tests.fixtures.http_server import http_server

PREDICTION = build_prediction(prediction_id="p1")


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return Storage(settings.storage)


@pytest.fixture
def client(settings: Settings, database: Database, storage: Storage) -> Iterator[httpx.Client]:
    with http_server(settings, database, storage) as url, httpx.Client(base_url=url) as opened:
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
