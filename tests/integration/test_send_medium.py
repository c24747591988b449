"""Sending and taking in a medium whose DICOMDIR DCMTK wrote."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from dicom_node.media.taking import Verdict, take_paths
from dicom_node.scu.store import send
from tests.fixtures.dicom_server import DEVICE, Node, running_node


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


@pytest.fixture
def medium(tmp_path: Path, shared_data: Path, need: Callable[[str], None]) -> Path:
    """A CD as it is mounted: one of two files gone, names in lower case."""
    need("dcmmkdir")
    folder = tmp_path / "medium"
    written, shown = folder / "IMAGES", folder / "images"
    written.mkdir(parents=True)
    scans = sorted((shared_data / "oct" / "spectralis_circle_od").glob("*.dcm"))
    for number, scan in enumerate(scans):
        (written / f"IM{number}").write_bytes(scan.read_bytes())
    command = ["dcmmkdir", "-W", "+r", "+id", folder, "+D", folder / "DICOMDIR"]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    written.rename(shown)
    for path in list(shown.iterdir()):
        path.rename(shown / path.name.lower())
    (shown / "im1").unlink()
    (folder / "README.TXT").write_text("Play this disc with the viewer on it.")
    return folder


def test_a_medium_is_sent_by_its_directory_and_what_is_gone_is_named(
    node: Node, medium: Path
) -> None:
    results = list(send([medium / "DICOMDIR"], node.address, DEVICE))

    gone = [result for result in results if not result.is_kept]
    assert [(result.path.name, result.message) for result in gone] == [
        ("IM1", "cannot be read: No such file or directory")
    ]
    assert [result.path.name for result in results if result.is_kept] == ["im0"]


def test_the_folder_of_a_medium_is_sent_without_what_is_no_dicom(node: Node, medium: Path) -> None:
    results = {result.path.name: result for result in send([medium], node.address, DEVICE)}

    assert {name: result.is_kept for name, result in results.items()} == {
        "README.TXT": False,
        "im0": True,
    }
    assert results["README.TXT"].message == "not a DICOM file"
    with node.database.reading() as session:
        assert len(session.exec(select(InstanceRow)).all()) == 1


def test_a_medium_is_taken_in_and_what_is_gone_is_refused(node: Node, medium: Path) -> None:
    taken = list(take_paths(node.archive, [medium / "DICOMDIR"], "import"))

    assert {(one.path.name, one.verdict) for one in taken} == {
        ("im0", Verdict.KEPT),
        ("IM1", Verdict.REFUSED),
    }
