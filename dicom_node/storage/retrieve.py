"""Reading back what is kept."""

from typing import Any

from pydicom import FileDataset, dcmread
from sqlmodel import Session, col, select

from core.errors import RecordNotFound
from core.tables.instances import InstanceOrigin, InstanceRow
from core.tables.series import SeriesRow
from dicom_node.errors import BytesRemoved
from dicom_node.storage.bytes import Storage
from dicom_node.storage.instances import find_instance


def read_instance(session: Session, storage: Storage, sop_instance_uid: str) -> bytes:
    """Return the instance as a DICOM file: our file meta information, the data set as received.

    Raises
    ------
    RecordNotFound
        If the instance, or its bytes, are not kept; BytesRemoved where retention removed them.
    """
    return storage.read(find_kept(session, sop_instance_uid).storage_key)


def find_kept(session: Session, sop_instance_uid: str) -> InstanceRow:
    """Return the row of an instance whose bytes are kept.

    Raises
    ------
    RecordNotFound
        If the instance is not kept; BytesRemoved where retention removed its bytes.
    """
    row = find_instance(session, sop_instance_uid)
    if row is None:
        raise RecordNotFound("No instance is kept under that SOP Instance UID")
    if row.bytes_removed_at is not None:
        raise BytesRemoved(
            f"Retention removed the files of this instance on {row.bytes_removed_at:%Y-%m-%d}; "
            "send it again to have them back"
        )
    return row


def read_dataset(
    session: Session, storage: Storage, sop_instance_uid: str, pixels: bool = True
) -> FileDataset:
    """Return the instance parsed; without its pixels where they are not needed.

    Raises
    ------
    RecordNotFound
        If the instance, or its bytes, are not kept; BytesRemoved where retention removed them.
    """
    return read_kept(storage, find_kept(session, sop_instance_uid), pixels)


def read_kept(storage: Storage, row: InstanceRow, pixels: bool = True) -> FileDataset:
    """Return the instance of a row parsed: asks the record nothing.

    Raises
    ------
    RecordNotFound
        If its bytes are not kept.
    """
    with storage.open(row.storage_key) as file:
        # Deferred reading would look for the file by a path it has not.
        options: dict[str, Any] = {"stop_before_pixels": not pixels, "defer_size": None}
        return dcmread(file, **options)


def referenced_localizer(
    session: Session, instance: InstanceRow, sop_instance_uid: str
) -> InstanceRow | None:
    """Return the localizer an instance refers to, None where its own study does not hold it.

    A reference into another study is not followed: it could be another patient's eye. One whose
    bytes were removed is held no more.
    """
    localizer = find_instance(session, sop_instance_uid)
    if localizer is None or localizer.bytes_removed_at is not None:
        return None
    studies = select(SeriesRow.study_key).where(
        col(SeriesRow.id).in_([instance.series_key, localizer.series_key])
    )
    return localizer if len(set(session.exec(studies).all())) == 1 else None


def received_with(session: Session, instance: InstanceRow) -> list[InstanceRow]:
    """Return what was received of the study of an instance, itself included; no reports."""
    study = select(SeriesRow.study_key).where(col(SeriesRow.id) == instance.series_key)
    statement = (
        select(InstanceRow)
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .where(col(SeriesRow.study_key) == study.scalar_subquery())
        .where(col(InstanceRow.origin) == InstanceOrigin.RECEIVED)
    )
    return list(session.exec(statement).all())
