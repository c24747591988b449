"""Keeping our own reports as instances of the study they tell about."""

from collections.abc import Iterable
from dataclasses import dataclass
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
from dicom_node.storage.part10 import Announced, EncodedInstance, file_preamble

#: A report is never deflated, so this only has to be larger than any.
_MAXIMUM_REPORT_BYTES: Final = 1 << 28
_IDENTITY: Final = (
    *("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    "StudyInstanceUID",
)


class MeasurementForged(NodeError):
    """We estimate; a measured field is never written by us."""


@dataclass(frozen=True)
class WrittenReport:
    """A report whose bytes are durable; nothing of the record names it yet.

    Attributes
    ----------
    identity
        Those of its attributes that say of whom, and of which study, it tells.
    arrival
        Of its bytes, as of an object that comes in.
    """

    identity: Dataset
    arrival: Arrival


def write_reports(
    storage: Storage, datasets: Iterable[Dataset], clock: Clock = utc_now
) -> list[WrittenReport]:
    """Write the bytes of reports, before the transaction that keeps them: others write meanwhile.

    Parameters
    ----------
    datasets
        Each a complete SR, picture or document, its pixels (if any) uncompressed.

    Raises
    ------
    MeasurementForged
        If it claims to be a measured field.
    StorageFull, StorageAway
        If the storage has no room, or fails.
    """
    written, objects = [], []
    for dataset in datasets:
        if is_measured_field(str(dataset.SOPClassUID)):
            raise MeasurementForged
        encoded = _encode(dataset)
        arrival = _arrival(encoded, clock())
        written.append(WrittenReport(_identity(dataset), arrival))
        content = (file_preamble(encoded), encoded.data_set)
        objects.append((digest_key(arrival.digest), content))
    storage.put_all(objects)
    return written


def write_report(storage: Storage, dataset: Dataset, clock: Clock = utc_now) -> WrittenReport:
    """Write the bytes of one report; parameters and errors are those of `write_reports`."""
    [written] = write_reports(storage, [dataset], clock)
    return written


def keep_report(session: Session, report: WrittenReport) -> InstanceRow:
    """Keep a report that is written in the caller's transaction.

    The UIDs of a report derive from its prediction, so one that is already kept is the same report
    and its row is returned.

    Raises
    ------
    PatientIDMissing, PatientConflict, HierarchyConflict
        If it does not fit the study it names.
    """
    arrival = report.arrival
    uid = arrival.announced.sop_instance_uid
    known = find_instance(session, uid)
    if known is not None:
        return known
    series_key = settle_series(session.connection(), arrival.header, arrival.received_at)
    placed = [(arrival, series_key, InstanceOutcome.REPORT)]
    [key] = add_instances(session.connection(), placed, InstanceOrigin.PRODUCED)
    append_change(session, ChangeKind.REPORT_KEPT, uid)
    return session.get_one(InstanceRow, key)


def _identity(dataset: Dataset) -> Dataset:
    found = Dataset()
    for keyword in _IDENTITY:
        if keyword in dataset:
            found[keyword] = dataset[keyword]
    return found


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
        # Without the bytes, which are written.
        announced=Announced(
            transfer_syntax_uid=encoded.transfer_syntax_uid,
            sop_class_uid=encoded.sop_class_uid,
            sop_instance_uid=encoded.sop_instance_uid,
        ),
        header=read_header(encoded.data_set, encoded.transfer_syntax_uid, _MAXIMUM_REPORT_BYTES),
        digest=sha256(encoded.data_set).hexdigest(),
        size_bytes=len(encoded.data_set),
        received_at=received_at,
    )
