"""A stored instance with the localizer it refers to, or with the scan that refers to it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydicom import Dataset

from core.database import Database
from core.tables.instances import InstanceRow
from dicom_node.devices.fundus_localizer import belongs_to_scan, is_localizer
from dicom_node.devices.input_class import is_oct_scan, is_photograph
from dicom_node.devices.reading import read_localizer_reference
from dicom_node.storage.bytes import Storage
from dicom_node.storage.retrieve import find_kept, read_kept, received_with, referenced_localizer
from inference.subject import Subject

#: A device sends scan and localizer in one association, in either order. A scan that comes first
#: waits this long for its localizer, whose laterality and spacing can unmask a wrong eye.
LOCALIZER_WAIT: Final = timedelta(seconds=1.0)
#: A photograph waits until nothing more of its study has come for this long: the OCT scan it may
#: belong to can follow it, and a volume takes seconds on a slow line.
STUDY_WAIT: Final = timedelta(seconds=5.0)
#: Hosts whose clocks are kept differ by less. What seems to come from further ahead was received
#: before this clock was set back: it would be waited for as long as that went.
_MOST_AHEAD: Final = timedelta(seconds=30)
#: How long a scan is put aside at a time, in seconds: devices send the localizer right after it.
LOCALIZER_DELAY_SECONDS: Final = 0.05
#: The same of a photograph, which mostly waits for nothing.
STUDY_DELAY_SECONDS: Final = 1.0


class LocalizerAwaited(Exception):
    """What belongs to this scan may still be on its way; the scan is put aside for a moment.

    Parameters
    ----------
    delay_seconds
        For how long.
    """

    def __init__(self, delay_seconds: float) -> None:
        super().__init__(delay_seconds)
        self.delay_seconds = delay_seconds


@dataclass(frozen=True)
class StoredScan:
    """The data sets of one analysis.

    Attributes
    ----------
    localizer
        None where none is referred to or kept.
    is_of_oct_scan
        Whether an OCT scan of the same study refers to this photograph, or to its device.
    """

    dataset: Dataset
    localizer: Dataset | None = None
    is_of_oct_scan: bool = False


def read_stored_scan(
    subject: Subject, database: Database, storage: Storage, now: datetime
) -> StoredScan:
    """Return the data set of an instance with its localizer.

    Raises
    ------
    LocalizerAwaited
        If the localizer of a scan, or the scan of a photograph, may follow and is not here yet.
    """
    # Bytes are read with no session open: over a slow line they can take longer than a PostgreSQL
    # lets a transaction lie idle.
    with database.reading() as session:
        instance = find_kept(session, subject.instance_row(session).sop_instance_uid)
    if is_photograph(subject.sop_class_uid):
        return _read_photograph(database, storage, instance, now)
    return _read_scan(database, storage, instance, now)


def _read_scan(
    database: Database, storage: Storage, instance: InstanceRow, now: datetime
) -> StoredScan:
    dataset = read_kept(storage, instance)
    reference = read_localizer_reference(dataset)
    if reference is None:
        return StoredScan(dataset)
    with database.reading() as session:
        kept = referenced_localizer(session, instance, reference)
    if kept is None and _remaining(LOCALIZER_WAIT, instance.received_at, now):
        raise LocalizerAwaited(LOCALIZER_DELAY_SECONDS)
    if kept is None:
        return StoredScan(dataset)
    return StoredScan(dataset, read_kept(storage, kept))


def _read_photograph(
    database: Database, storage: Storage, instance: InstanceRow, now: datetime
) -> StoredScan:
    header = read_kept(storage, instance, pixels=False)
    if is_localizer(header):
        return StoredScan(header, is_of_oct_scan=True)
    with database.reading() as session:
        study = received_with(session, instance)
    scans = (
        read_kept(storage, row, pixels=False)
        for row in study
        if is_oct_scan(row.sop_class_uid) and row.bytes_removed_at is None
    )
    if any(belongs_to_scan(header, scan) for scan in scans):
        return StoredScan(header, is_of_oct_scan=True)
    remaining = _remaining(STUDY_WAIT, max(row.received_at for row in study), now)
    if remaining:
        raise LocalizerAwaited(min(remaining.total_seconds(), STUDY_DELAY_SECONDS))
    return StoredScan(read_kept(storage, instance))


def _remaining(wait: timedelta, received_at: datetime, now: datetime) -> timedelta:
    """Return how long there is still to wait."""
    waited = now - received_at
    return max(wait - waited, timedelta(0)) if waited > -_MOST_AHEAD else timedelta(0)
