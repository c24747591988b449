"""The step that reads the measured field of a stored instance into the record."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from core import ledger
from core.clock import Clock, utc_now
from core.database import Database, TransactionConflict
from core.errors import RecordNotFound
from core.identities.locking import lock_patients
from core.ledger import Claim
from core.logs import get_logger
from core.measured_fields import Origin, record_measured_field
from core.tables.columns import key_of
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.values.measured_field import FieldSource, MeasuredField
from dicom_node.measured_fields.errors import FieldRefused
from dicom_node.measured_fields.opv import read_field
from dicom_node.storage.bytes import Storage
from dicom_node.storage.retrieve import read_dataset

_log = get_logger(__name__)


@dataclass(frozen=True)
class ReadFieldStep:
    """Reads each claimed object; one that cannot be trusted says why, and gives no field."""

    database: Database
    storage: Storage
    clock: Clock = utc_now
    kind: JobKind = JobKind.READ_FIELD
    group_size: int = 1

    def run(self, claims: Sequence[Claim]) -> None:
        """Read each claimed instance."""
        for claimed in claims:
            self._read(claimed)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Say on the instance that its field could not be read."""
        row = session.get(InstanceRow, int(claim.subject))
        if row is not None:
            row.outcome_message = error
        _log.error("measured_field_not_read", job=claim.job_id, error=error)

    def _read(self, claimed: Claim) -> None:
        with self.database.reading() as session:
            instance = _find(session, int(claimed.subject))
            dataset = read_dataset(session, self.storage, instance.sop_instance_uid)
        try:
            self._record(claimed, instance, read_field(dataset))
        except FieldRefused as refusal:
            self._refuse(claimed, instance, str(refusal))

    def _record(self, claimed: Claim, instance: InstanceRow, field: MeasuredField) -> None:
        uid = instance.sop_instance_uid
        with self.database.transaction() as session:
            patient_key = _owner_key(session, instance)
            origin = Origin(patient_key, FieldSource.OPV, uid, key_of(instance))
            session.get_one(InstanceRow, instance.id).outcome_message = ""
            ledger.finish(session, claimed)
            record_measured_field(session, field, origin, self.clock())
        _log.info("measured_field_recorded", sop_instance_uid=uid, pattern=field.pattern)

    def _refuse(self, claimed: Claim, instance: InstanceRow, message: str) -> None:
        with self.database.transaction() as session:
            session.get_one(InstanceRow, instance.id).outcome_message = message
            ledger.finish(session, claimed)
        _log.warning("measured_field_refused", sop_instance_uid=instance.sop_instance_uid)


def _find(session: Session, instance_key: int) -> InstanceRow:
    found = session.get(InstanceRow, instance_key)
    if found is None:
        raise RecordNotFound("The instance to read is not kept any more")
    return found


def _owner_key(session: Session, instance: InstanceRow) -> int:
    """Return whose an instance is, which may be another than when it was read.

    From now on nobody corrects that meanwhile: a correction locks the patients first, too.

    Raises
    ------
    TransactionConflict
        If somebody does at this moment.
    """
    statement = (
        select(StudyRow.patient_key)
        .join(SeriesRow, col(SeriesRow.study_key) == col(StudyRow.id))
        .where(col(SeriesRow.id) == instance.series_key)
    )
    found = session.exec(statement).one()
    lock_patients(session, found)
    if session.exec(statement).one() != found:
        raise TransactionConflict("Somebody else moved the study at this moment; look again")
    return found
