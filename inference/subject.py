"""The stored instance a job is about, as the record knows it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import RecordNotFound
from core.tables.instances import InstanceOutcome, InstanceRow
from core.tables.patients import PatientRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.scan import Device


@dataclass(frozen=True)
class Subject:
    """An instance with whose it is. `device` is what its series says, before its header is read."""

    instance_key: int
    patient: PatientIdentity
    source: InstanceIdentity
    device: Device
    received_at: datetime
    sop_class_uid: str = ""

    def set_outcome(self, session: Session, outcome: InstanceOutcome, message: str = "") -> None:
        """Write how the analysis ended, and for people why, into the instance's row."""
        row = self.instance_row(session)
        row.outcome, row.outcome_message = outcome, message

    def instance_row(self, session: Session) -> InstanceRow:
        """Return the instance's row.

        Raises
        ------
        RecordNotFound
            If it is not kept any more.
        """
        row = session.get(InstanceRow, self.instance_key)
        if row is None:
            raise RecordNotFound("The instance was deleted while it was analysed")
        return row


def load_subject(session: Session, instance_key: int) -> Subject:
    """Return the instance with that primary key.

    Raises
    ------
    RecordNotFound
        If it is not kept any more.
    """
    statement = (
        select(InstanceRow, SeriesRow, StudyRow, PatientRow)
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .join(PatientRow, col(PatientRow.id) == col(StudyRow.patient_key))
        .where(col(InstanceRow.id) == instance_key)
    )
    found = session.execute(statement).one_or_none()
    if found is None:
        raise RecordNotFound("The instance to analyse is not kept any more")
    instance, series, study, patient = found
    return Subject(
        instance_key=instance_key,
        patient=PatientIdentity(
            patient.patient_id,
            patient.issuer or None,
            patient.name,
            patient.birth_date,
            patient.sex,
        ),
        source=InstanceIdentity(
            study.study_instance_uid,
            series.series_instance_uid,
            instance.sop_instance_uid,
            study.accession_number,
        ),
        device=Device(
            series.manufacturer, series.manufacturer_model_name, series.device_serial_number
        ),
        received_at=instance.received_at,
        sop_class_uid=instance.sop_class_uid,
    )
