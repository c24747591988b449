"""Keeping our own reports as instances of the study they tell about."""

from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import Final

from pydicom import Dataset, dcmwrite
from pydicom.uid import ExplicitVRLittleEndian
from sqlmodel import Session

from core.changes import append_change
from core.clock import Clock, utc_now
from core.errors import NodeError
from core.tables.changes import ChangeKind
from core.tables.instances import InstanceOrigin, InstanceOutcome, InstanceRow
from dicom_node.devices.input_class import is_measured_field
from dicom_node.storage.bytes import Storage
from dicom_node.storage.digest_key import digest_key
from dicom_node.storage.header import read_header
from dicom_node.storage.hierarchy import settle_series
from dicom_node.storage.instances import Arrival, add_instances, find_instance
from dicom_node.storage.part10 import EncodedInstance, file_preamble

#: A report is never deflated, so this only has to be larger than any.
_MAXIMUM_REPORT_BYTES: Final = 1 << 28


class MeasurementForged(NodeError):
    """We estimate; a measured field is never written by us."""


def keep_report(
    session: Session, storage: Storage, dataset: Dataset, clock: Clock = utc_now
) -> InstanceRow:
    """Keep a report in the caller's transaction; its bytes are durable before.

    The UIDs of a report derive from its prediction, so one that is already kept is the same report
    and its row is returned.

    Parameters
    ----------
    dataset
        A complete SR, picture or document, its pixels (if any) uncompressed.

    Raises
    ------
    MeasurementForged
        If it claims to be a measured field.
    InvalidInstance, PatientIDMissing, PatientConflict, HierarchyConflict
        If it does not fit the study it names.
    """
    if is_measured_field(str(dataset.SOPClassUID)):
        raise MeasurementForged
    known = find_instance(session, str(dataset.SOPInstanceUID))
    if known is not None:
        return known
    encoded = _encode(dataset)
    arrival = _arrival(encoded, clock())
    series_key = settle_series(session.connection(), arrival.header, arrival.received_at)
    storage.put(digest_key(arrival.digest), (file_preamble(encoded), encoded.data_set))
    placed = [(arrival, series_key, InstanceOutcome.REPORT)]
    [key] = add_instances(session.connection(), placed, InstanceOrigin.PRODUCED)
    append_change(session, ChangeKind.REPORT_KEPT, encoded.sop_instance_uid)
    return session.get_one(InstanceRow, key)


def _encode(dataset: Dataset) -> EncodedInstance:
    # Without file meta: highdicom brings its own, and ours is written around every data set.
    bare = Dataset(dataset)
    buffer = BytesIO()
    dcmwrite(buffer, bare, implicit_vr=False, little_endian=True, enforce_file_format=False)
    return EncodedInstance(
        data_set=buffer.getvalue(),
        transfer_syntax_uid=str(ExplicitVRLittleEndian),
        sop_class_uid=str(dataset.SOPClassUID),
        sop_instance_uid=str(dataset.SOPInstanceUID),
    )


def _arrival(encoded: EncodedInstance, received_at: datetime) -> Arrival:
    return Arrival(
        announced=encoded,
        header=read_header(encoded.data_set, encoded.transfer_syntax_uid, _MAXIMUM_REPORT_BYTES),
        digest=sha256(encoded.data_set).hexdigest(),
        size_bytes=len(encoded.data_set),
        received_at=received_at,
    )
