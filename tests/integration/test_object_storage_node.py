"""A whole node, and receivers that are killed, with a bucket of a real object store."""

from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from dicom_node.storage.bucket_storage import BucketStorage
from tests.builders.opt import build_circle_opt
from tests.fixtures.gate import Gate
from tests.fixtures.node import running_node
from tests.fixtures.object_store import ObjectStore, in_bucket
from tests.integration.test_store_killed import kill_while_sending, write_files

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True),
]

PATIENCE_SECONDS = 120.0


@pytest.fixture
def settings(settings: Settings, gate: Gate, tmp_path: Path) -> Settings:
    return in_bucket(settings, gate, tmp_path)


@pytest.mark.parametrize("is_buffering", [False, True])
def test_scan_and_its_reports_lie_in_the_bucket_and_are_read_from_there(
    settings: Settings, objects: ObjectStore, tmp_path: Path, is_buffering: bool
) -> None:
    scan = build_circle_opt()
    buffered = settings.model_copy(update={"storage_buffer": is_buffering})
    with running_node(buffered) as node:
        [sent] = node.send_datasets(tmp_path / "sent", scan)
        prediction = node.wait_for_prediction(str(scan.SOPInstanceUID))
        reports = node.wait_for_reports(prediction)
        storage = node.storage
        assert isinstance(storage, BucketStorage)
        assert wait_until(lambda: storage.waiting().files == 0, PATIENCE_SECONDS)
        report = node.client.get(f"/v1/predictions/{prediction['id']}/report.dcm")
        page = node.client.get(f"/predictions/{prediction['id']}")
        ready = node.client.get("/health/ready")

    assert sent.status == 0
    assert len(objects.objects()) >= 1 + len(reports)
    assert dcmread(BytesIO(report.content)).Modality == "SR"
    assert page.status_code == 200
    assert ready.status_code == 200


def test_nothing_acknowledged_is_lost_whenever_the_receiver_is_killed(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    assert len(kill_while_sending(settings, database, write_files(tmp_path))) > 0
