from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from core.deliveries.destinations import DestinationInvalid
from core.settings import Settings
from dicom_node.calling_errors import DestinationDown
from dicom_node.delivery.targets.folder import Folder
from dicom_node.delivery.targets.target import Destination, Tools
from dicom_node.storage.archive import Archive
from dicom_node.storage.retrieve import read_instance
from tests.builders.sent_report import SentReports


@pytest.fixture
def reports(archive: Archive, settings: Settings) -> SentReports:
    return SentReports(archive, settings)


def files(folder: Path) -> Sequence[str]:
    return sorted(path.name for path in folder.iterdir())


def test_each_report_is_a_file_named_by_its_uid(reports: SentReports, tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    reports.add("share", "folder", str(folder))
    reports.keep_reports()

    reports.deliver()

    assert reports.states() == ["delivered", "delivered"]
    assert files(folder) == sorted(f"{uid}.dcm" for uid in reports.uids())
    for uid in reports.uids():
        content = (folder / f"{uid}.dcm").read_bytes()
        assert dcmread(BytesIO(content)).SOPInstanceUID == uid
        with reports.archive.database.reading() as session:
            assert content == read_instance(session, reports.archive.storage, uid)


def test_folder_that_is_not_there_is_waited_for_and_not_made(
    reports: SentReports, tmp_path: Path
) -> None:
    folder = tmp_path / "share"
    reports.add("share", "folder", str(folder))
    reports.keep_reports()

    reports.deliver()

    assert not folder.exists()
    destination = reports.destination("share")
    assert (destination.circuit, destination.failures) == ("open", 1)
    assert "is not there" in str(destination.last_error)
    assert [(row.state, row.attempts) for row in reports.deliveries()] == [("waiting", 0)] * 2

    folder.mkdir()
    reports.hurry()
    reports.deliver()

    assert reports.states() == ["delivered", "delivered"]
    assert reports.destination("share").circuit == "closed"
    assert reports.jobs() == []


def test_the_same_again_is_the_same_file(reports: SentReports, tmp_path: Path) -> None:
    reports.add("share", "folder", str(tmp_path))
    reports.keep_reports()
    reports.deliver()
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.dcm")}

    reports.send_again()

    assert reports.states() == ["delivered", "delivered"]
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.dcm")} == before


@pytest.mark.parametrize(
    ("address", "options", "secret"),
    [("share", {}, None), ("/share", {"a": "b"}, None), ("/share", {}, "secret")],
)
def test_what_a_folder_cannot_use_is_refused(
    address: str, options: dict[str, str], secret: str | None
) -> None:
    with pytest.raises(DestinationInvalid):
        Folder().read_options(address, options, secret)


def test_probe_tells_a_folder_that_may_not_be_written(reports: SentReports, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    tools = Tools(reports.settings, reports.archive.database)

    Folder().probe(Destination("a", "folder", str(tmp_path), {}), tools)
    with pytest.raises(DestinationDown):
        Folder().probe(Destination("a", "folder", str(file), {}), tools)
