"""A stored instance with the localizer it refers to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydicom import Dataset

from core.database import Database
from dicom_node.devices.reading import read_localizer_reference
from dicom_node.storage.bytes import Storage
from dicom_node.storage.retrieve import read_dataset, referenced_localizer
from inference.subject import Subject

#: A device sends scan and localizer in one association, in either order. A scan that comes first
#: waits this long for its localizer, whose laterality and spacing can unmask a wrong eye.
LOCALIZER_WAIT: Final = timedelta(seconds=1.0)


class LocalizerAwaited(Exception):
    """The localizer of this scan may still be on its way; the scan is put aside for a moment."""


@dataclass(frozen=True)
class StoredScan:
    """The data sets of one analysis; `localizer` is None where none is referred to or kept."""

    dataset: Dataset
    localizer: Dataset | None


def read_stored_scan(
    subject: Subject, database: Database, storage: Storage, now: datetime
) -> StoredScan:
    """Return the data set of an instance with its localizer.

    Raises
    ------
    LocalizerAwaited
        If the localizer is not here yet and the scan came only just now.
    """
    with database.reading() as session:
        dataset = read_dataset(session, storage, subject.source.sop_instance_uid)
        reference = read_localizer_reference(dataset)
        if reference is None:
            return StoredScan(dataset, None)
        kept = referenced_localizer(session, subject.instance_row(session), reference)
        if kept is None and now - subject.received_at < LOCALIZER_WAIT:
            raise LocalizerAwaited
        if kept is None:
            return StoredScan(dataset, None)
        localizer = read_dataset(session, storage, kept.sop_instance_uid, pixels=False)
    return StoredScan(dataset, localizer)
