"""The rows of instances, written below those of their series."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert
from sqlmodel import Session, col, select

from core.driver_statement import DriverStatement
from core.tables.columns import table_of
from core.tables.instances import InstanceOrigin, InstanceOutcome, InstanceRow
from dicom_node.storage.digest_key import digest_key
from dicom_node.storage.header import Header
from dicom_node.storage.header_attributes import instance_attributes
from dicom_node.storage.part10 import Announced

_TABLE: Final = table_of(InstanceRow)
_GIVEN: Final = (
    "series_key",
    "sop_instance_uid",
    "sop_class_uid",
    "transfer_syntax_uid",
    "instance_number",
    "digest",
    "size_bytes",
    "storage_key",
    "calling_ae_title",
    "origin",
    "outcome",
    "outcome_message",
    "received_at",
    "number_of_frames",
    "pixel_rows",
    "pixel_columns",
    "content_date",
    "content_time",
    "completion_flag",
    "verification_flag",
    "concept_name",
)
_ADD: Final = DriverStatement(
    lambda _dialect: (
        insert(_TABLE).values({name: bindparam(name) for name in _GIVEN}).returning(_TABLE.c.id)
    )
)


@dataclass(frozen=True)
class Arrival:
    """An instance whose bytes are all here.

    Attributes
    ----------
    digest, size_bytes
        SHA-256 (hex) and length of its encoded data set.
    """

    announced: Announced
    header: Header
    digest: str
    size_bytes: int
    received_at: datetime


def find_instance(session: Session, sop_instance_uid: str) -> InstanceRow | None:
    """Return the row of an instance, None where it is not kept."""
    statement = select(InstanceRow).where(col(InstanceRow.sop_instance_uid) == sop_instance_uid)
    return session.exec(statement).one_or_none()


def add_instances(
    connection: Connection,
    arrivals: Sequence[tuple[Arrival, int, InstanceOutcome]],
    origin: InstanceOrigin,
) -> Sequence[int]:
    """Add instances whose bytes are durable; return their primary keys, in order.

    Parameters
    ----------
    arrivals
        Each with the primary key of its series, and how it is going to be scored.
    """
    if not arrivals:
        return []
    rows = [_row(*arrival, origin) for arrival in arrivals]
    return [int(key) for (key,) in _ADD.run_each(connection, rows)]


def _row(
    arrival: Arrival, series_key: int, outcome: InstanceOutcome, origin: InstanceOrigin
) -> dict[str, Any]:
    return {
        "series_key": series_key,
        "sop_instance_uid": arrival.header.sop_instance_uid,
        "sop_class_uid": arrival.header.sop_class_uid,
        "origin": origin,
        **content_attributes(arrival, outcome),
    }


def content_attributes(arrival: Arrival, outcome: InstanceOutcome) -> dict[str, Any]:
    """Return the columns of an instance that its UIDs do not decide."""
    return {
        "transfer_syntax_uid": arrival.announced.transfer_syntax_uid,
        "instance_number": arrival.header.texts["InstanceNumber"],
        "digest": arrival.digest,
        "size_bytes": arrival.size_bytes,
        "storage_key": digest_key(arrival.digest),
        "calling_ae_title": arrival.announced.calling_ae_title,
        "outcome": outcome,
        "outcome_message": "",
        "received_at": arrival.received_at,
        **instance_attributes(arrival.header),
    }
