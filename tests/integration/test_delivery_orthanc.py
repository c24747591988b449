"""Results sent to a real Orthanc: by C-STORE with storage commitment, and by STOW-RS."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arcuate.bench.ports import free_port
from core.database import Database
from core.settings import Settings
from dicom_node.peers import add_peer
from tests.builders.sent_report import SentReports
from tests.conftest import miss
from tests.fixtures.dicom_server import Node, running_node
from tests.fixtures.orthanc import (
    DICOMWEB_PLUGIN,
    ORTHANC,
    Orthanc,
    running_orthanc,
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"delivery_answer_seconds": 20.0})


@pytest.fixture
def node(settings: Settings, database: Database, need: Callable[[str], None]) -> Iterator[Node]:
    need("Orthanc")
    if not DICOMWEB_PLUGIN.exists():
        miss("Orthanc's DICOMweb plugin (orthanc-dicomweb)")
    with running_node(settings, database) as running:
        yield running


def kept_at(orthanc: Orthanc) -> list[str]:
    return sorted(
        orthanc.get(f"/instances/{name}/simplified-tags")["SOPInstanceUID"]
        for name in orthanc.get("/instances")
    )


def test_results_reach_an_orthanc_that_was_down_at_first(
    node: Node, settings: Settings, tmp_path: Path
) -> None:
    """Structured reports by C-STORE and pictures by STOW-RS, so that one count shows both."""
    reports, ports = SentReports(node.archive, settings), (free_port(), free_port())
    with node.database.transaction() as session:
        add_peer(session, ORTHANC, "127.0.0.1", ports[0])
    reports.add("pacs", "dicom_peer", ORTHANC, report_kinds=["sr"])
    reports.add("web", "stow_rs", f"http://127.0.0.1:{ports[1]}/dicom-web", report_kinds=["sc"])
    reports.keep_reports(2)

    reports.deliver()

    assert reports.states() == ["waiting"] * 4
    down = [reports.destination(name) for name in ("pacs", "web")]
    assert [(row.circuit, row.failures) for row in down] == [("open", 1)] * 2
    with running_orthanc(tmp_path / "orthanc", node.address, ports, (DICOMWEB_PLUGIN,)) as orthanc:
        reports.hurry()
        reports.deliver()
        assert kept_at(orthanc) == sorted(reports.uids())
        assert len(reports.uids()) == 4
        states = {(row.report_kind, row.state) for row in reports.deliveries()}
        assert states == {("sr", "committed"), ("sc", "delivered")}

        reports.send_again()

        assert kept_at(orthanc) == sorted(reports.uids())
    assert {(row.report_kind, row.state) for row in reports.deliveries()} == states
    up = [reports.destination(name) for name in ("pacs", "web")]
    assert [(row.circuit, row.failures) for row in up] == [("closed", 0)] * 2
