from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import pytest
from pydicom.dataset import Dataset

from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.values.laterality import Laterality
from dicom_node.errors import BytesRemoved
from dicom_node.storage.archive import Archive
from dicom_node.storage.bytes import Storage
from inference.stored_scan import (
    LOCALIZER_WAIT,
    STUDY_WAIT,
    LocalizerAwaited,
    StoredScan,
    read_stored_scan,
)
from inference.subject import load_subject
from tests.builders.opt import build_circle_opt, build_localizer
from tests.builders.photograph import build_photograph
from tests.builders.received import receive

RECEIVED_AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


def read(archive: Archive, database: Database, key: int, after: timedelta) -> StoredScan:
    with database.reading() as session:
        subject = load_subject(session, key)
    return read_stored_scan(subject, database, archive.storage, RECEIVED_AT + after)


@pytest.mark.parametrize("laterality", Laterality)
def test_scan_comes_with_its_localizer(
    archive: Archive, database: Database, laterality: Laterality
) -> None:
    scan = build_circle_opt(laterality=laterality)
    localizer = build_localizer(laterality=laterality)
    key = receive(archive, scan, at=RECEIVED_AT)
    receive(archive, localizer, at=RECEIVED_AT)

    stored = read(archive, database, key, timedelta())

    assert stored.dataset.PixelData == scan.PixelData
    assert stored.localizer is not None
    assert stored.localizer.SOPInstanceUID == localizer.SOPInstanceUID
    # The picture of the fundus that is kept with the result is made of it.
    assert stored.localizer.PixelData == localizer.PixelData


class StorageThatLooks(Storage):
    """Notes how many connections to the database are in use whenever an object is opened."""

    def __init__(self, url: str, database: Database) -> None:
        super().__init__(url)
        self.database = database
        self.in_use: list[int] = []

    @contextmanager
    def open(self, key: str) -> Generator[BinaryIO]:
        self.in_use.append(self.database.engine.pool.checkedout())  # type: ignore[attr-defined]
        with super().open(key) as file:
            yield file


def test_no_transaction_is_open_while_bytes_are_read(
    archive: Archive, database: Database, settings: Settings
) -> None:
    scan = receive(archive, build_circle_opt(key="both"), at=RECEIVED_AT)
    receive(archive, build_localizer(key="both"), at=RECEIVED_AT)
    photograph = receive(archive, build_photograph(key="both"), at=RECEIVED_AT)
    looking = StorageThatLooks(settings.storage, database)

    for key in (scan, photograph):
        with database.reading() as session:
            subject = load_subject(session, key)
        read_stored_scan(subject, database, looking, RECEIVED_AT + STUDY_WAIT)

    assert looking.in_use == [0] * 5


def test_scan_waits_for_its_localizer_for_a_while_only(
    archive: Archive, database: Database
) -> None:
    key = receive(archive, build_circle_opt(), at=RECEIVED_AT)

    with pytest.raises(LocalizerAwaited):
        read(archive, database, key, LOCALIZER_WAIT - timedelta(milliseconds=1))
    assert read(archive, database, key, LOCALIZER_WAIT).localizer is None


def test_scan_that_names_no_localizer_waits_for_none(archive: Archive, database: Database) -> None:
    scan = build_circle_opt(SharedFunctionalGroupsSequence=[Dataset()])
    scan.PerFrameFunctionalGroupsSequence = [Dataset()]
    key = receive(archive, scan, at=RECEIVED_AT)

    assert read(archive, database, key, timedelta()).localizer is None


def test_localizer_in_another_study_is_left_alone(archive: Archive, database: Database) -> None:
    """It could be another patient's eye."""
    elsewhere = build_localizer(StudyInstanceUID="2.25.77", PatientID="TEST-0002")
    elsewhere.SeriesInstanceUID = "2.25.78"
    key = receive(archive, build_circle_opt(), at=RECEIVED_AT)
    receive(archive, elsewhere, at=RECEIVED_AT)

    assert read(archive, database, key, LOCALIZER_WAIT).localizer is None


def test_scan_in_the_future_of_this_clock_does_not_wait_for_ever(
    archive: Archive, database: Database
) -> None:
    """Received on a host whose clock is ahead: the wait is the difference and no more."""
    key = receive(archive, build_circle_opt(), at=RECEIVED_AT + timedelta(seconds=5))

    with pytest.raises(LocalizerAwaited):
        read(archive, database, key, timedelta())
    with database.reading() as session:
        waited = session.get_one(InstanceRow, key).received_at - RECEIVED_AT + LOCALIZER_WAIT
    assert read(archive, database, key, waited).localizer is None


@pytest.mark.parametrize("build", [build_circle_opt, build_photograph])
def test_nothing_waits_that_was_received_before_the_clock_was_set_back(
    archive: Archive, database: Database, build: Callable[[], Dataset]
) -> None:
    key = receive(archive, build(), at=RECEIVED_AT)

    stored = read(archive, database, key, timedelta(hours=-1))

    assert (stored.localizer, stored.is_of_oct_scan) == (None, False)


def test_photograph_waits_until_its_study_is_quiet(archive: Archive, database: Database) -> None:
    photograph = build_photograph()
    key = receive(archive, photograph, at=RECEIVED_AT)
    later = build_photograph(laterality=Laterality.LEFT)
    receive(archive, later, at=RECEIVED_AT + timedelta(seconds=3))

    with pytest.raises(LocalizerAwaited):
        read(archive, database, key, STUDY_WAIT + timedelta(seconds=2))
    stored = read(archive, database, key, STUDY_WAIT + timedelta(seconds=3))

    assert stored.dataset.PixelData == photograph.PixelData
    assert not stored.is_of_oct_scan


@pytest.mark.parametrize("scan_first", [True, False])
def test_picture_an_oct_scan_refers_to_belongs_to_it_in_either_order(
    archive: Archive, database: Database, scan_first: bool
) -> None:
    """Nothing in the picture itself says what it is for."""
    scan, localizer = build_circle_opt(), build_localizer()
    for keyword in ("AcquisitionDeviceTypeCodeSequence", "Manufacturer"):
        delattr(localizer, keyword)
    both = (scan, localizer) if scan_first else (localizer, scan)
    keys = {dataset.Modality: receive(archive, dataset, at=RECEIVED_AT) for dataset in both}

    assert read(archive, database, keys["OP"], timedelta()).is_of_oct_scan


def test_colour_photograph_of_the_device_of_an_oct_scan_belongs_to_it(
    archive: Archive, database: Database
) -> None:
    scan = build_circle_opt(key="both")
    device = {"ManufacturerModelName": scan.ManufacturerModelName}
    key = receive(archive, build_photograph(key="both", **device), at=RECEIVED_AT)
    with pytest.raises(LocalizerAwaited):
        read(archive, database, key, timedelta())

    receive(archive, scan, at=RECEIVED_AT)

    assert read(archive, database, key, timedelta()).is_of_oct_scan


def test_photograph_of_another_device_is_scored_beside_an_oct_scan(
    archive: Archive, database: Database
) -> None:
    receive(archive, build_circle_opt(key="both"), at=RECEIVED_AT)
    key = receive(archive, build_photograph(key="both"), at=RECEIVED_AT)

    assert not read(archive, database, key, STUDY_WAIT).is_of_oct_scan


def test_oct_scan_of_another_study_claims_no_photograph(
    archive: Archive, database: Database
) -> None:
    scan = build_circle_opt(key="elsewhere")
    device = {"ManufacturerModelName": scan.ManufacturerModelName}
    receive(archive, scan, at=RECEIVED_AT)
    key = receive(archive, build_photograph(key="here", **device), at=RECEIVED_AT)

    assert not read(archive, database, key, STUDY_WAIT).is_of_oct_scan


def test_localizer_by_its_own_attributes_waits_for_nothing(
    archive: Archive, database: Database
) -> None:
    key = receive(archive, build_localizer(), at=RECEIVED_AT)

    stored = read(archive, database, key, timedelta())

    assert stored.is_of_oct_scan
    assert "PixelData" not in stored.dataset


def remove_bytes(archive: Archive, key: int) -> None:
    with archive.database.transaction() as session:
        row = session.get_one(InstanceRow, key)
        row.bytes_removed_at = RECEIVED_AT
        archive.storage.delete(row.storage_key)


def test_scan_whose_bytes_were_removed_says_so(archive: Archive, database: Database) -> None:
    key = receive(archive, build_circle_opt(), at=RECEIVED_AT)
    remove_bytes(archive, key)

    with pytest.raises(BytesRemoved, match="Retention removed the files"):
        read(archive, database, key, LOCALIZER_WAIT)


def test_localizer_whose_bytes_were_removed_is_not_there(
    archive: Archive, database: Database
) -> None:
    """The scan comes late, after its study went."""
    remove_bytes(archive, receive(archive, build_localizer(), at=RECEIVED_AT - timedelta(days=90)))
    key = receive(archive, build_circle_opt(), at=RECEIVED_AT)

    assert read(archive, database, key, LOCALIZER_WAIT).localizer is None


def test_photograph_is_not_compared_with_a_scan_whose_bytes_were_removed(
    archive: Archive, database: Database
) -> None:
    photograph = build_photograph()
    scan = build_circle_opt(StudyInstanceUID=photograph.StudyInstanceUID)
    remove_bytes(archive, receive(archive, scan, at=RECEIVED_AT - timedelta(days=90)))
    key = receive(archive, photograph, at=RECEIVED_AT)

    assert not read(archive, database, key, STUDY_WAIT).is_of_oct_scan
