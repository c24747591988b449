"""Files that no device should write, put into a watched folder and imported."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement
from sqlmodel import col, func, select
from structlog.testing import capture_logs

from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.quarantine import QuarantineRow
from dicom_node.errors import UnsupportedSOPClass
from dicom_node.media.taking import take_paths
from dicom_node.media.watching import FolderWatch
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    opened = open_archive(settings, database, Storage(settings.storage))
    opened.prepare()
    return opened


@pytest.fixture
def share(tmp_path: Path, shared_data: Path) -> Path:
    folder = tmp_path / "share"
    for path in (shared_data / "robustness").glob("*/*"):
        if path.is_file() and path.parent.name != "LICENSES":
            copy = folder / path.parent.name / path.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return folder


def count(archive: Archive, table: type, *conditions: ColumnElement[bool]) -> int:
    with archive.database.reading() as session:
        return session.exec(select(func.count()).select_from(table).where(*conditions)).one()


def test_every_odd_file_ends_taken_or_refused(archive: Archive, share: Path) -> None:
    files = [path for path in share.rglob("*") if path.is_file()]
    watch = FolderWatch(archive, share, 0, 0, 7)

    with ThreadPoolExecutor(4) as threads, capture_logs() as logs:
        watch.turn(threads)
        watch.turn(threads)

    events = {log["event"] for log in logs}
    assert (len(files), "watch_file_stays" in events) == (47, False), logs
    left = [p for p in share.rglob("*") if p.is_file() and "taken" not in p.parts]
    assert [p for p in left if "refused" not in p.parts] == []
    taken = len(list((share / "taken").glob("*/*.dcm")))
    refused = len(list((share / "refused").glob("*/*.dcm")))
    # Some are there twice, under two names.
    assert taken == count(archive, InstanceRow)
    assert min(taken, refused) > 0
    # What is of no class we take is listed once for its class and has no bytes.
    causes = [path.read_text("utf-8") for path in (share / "refused").glob("*/*.txt")]
    assert len(causes) == refused
    of_no_class = sum(str(UnsupportedSOPClass()) in cause for cause in causes)
    assert count(archive, QuarantineRow, col(QuarantineRow.size_bytes) > 0) >= refused - of_no_class
    listed_classes = count(
        archive, QuarantineRow, col(QuarantineRow.code) == "sop_class_not_supported"
    )
    assert 0 < listed_classes <= of_no_class


def test_every_odd_file_imported_has_an_outcome(archive: Archive, share: Path) -> None:
    results = list(take_paths(archive, [share], "import"))

    assert len(results) == 47
    assert sum(result.verdict == "kept" for result in results) == count(archive, InstanceRow)
    assert all(result.message for result in results if result.verdict in {"refused", "other"})
