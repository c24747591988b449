"""The row of an instance, written with the rows above it."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from core.tables.instances import InstanceOrigin, InstanceOutcome, InstanceRow
from dicom_node.storage.archive import digest_key
from dicom_node.storage.header import Header
from dicom_node.storage.hierarchy import settle_series
from dicom_node.storage.part10 import EncodedInstance


@dataclass(frozen=True)
class Arrival:
    """An instance on its way in. `digest` is the SHA-256 of its encoded data set, hex."""

    encoded: EncodedInstance
    header: Header
    digest: str


def find_instance(session: Session, sop_instance_uid: str) -> InstanceRow | None:
    """Return the row of an instance, None where it is not kept."""
    statement = select(InstanceRow).where(col(InstanceRow.sop_instance_uid) == sop_instance_uid)
    return session.exec(statement).one_or_none()


def add_instance(
    session: Session,
    arrival: Arrival,
    origin: InstanceOrigin,
    outcome: InstanceOutcome,
    received_at: datetime,
) -> tuple[InstanceRow, int]:
    """Add an instance whose bytes are durable; return its row and primary key.

    Raises
    ------
    PatientConflict, HierarchyConflict
        If it contradicts what is already kept.
    """
    encoded, header = arrival.encoded, arrival.header
    row = InstanceRow(
        series_key=settle_series(session, header, received_at),
        sop_instance_uid=header.sop_instance_uid,
        sop_class_uid=header.sop_class_uid,
        transfer_syntax_uid=encoded.transfer_syntax_uid,
        instance_number=header.texts["InstanceNumber"],
        digest=arrival.digest,
        size_bytes=len(encoded.data_set),
        storage_key=digest_key(arrival.digest),
        calling_ae_title=encoded.calling_ae_title,
        origin=origin,
        outcome=outcome,
        received_at=received_at,
    )
    session.add(row)
    session.flush()
    if row.id is None:
        raise ValueError("the database gave the instance no key")
    return row, row.id
