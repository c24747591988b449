"""Rows of an archive for tests, from the patient down to the prediction.

keep_prediction(session, build_prediction(...))       everything a prediction hangs on, once each
keep_instance(session, PatientIdentity("P1"), InstanceIdentity("1.2", "1.3", "1.4"))
"""

from datetime import UTC, date, datetime

from sqlmodel import Session, col, select

from core.predictions import record_prediction
from core.tables.instances import InstanceOutcome, InstanceRow
from core.tables.patients import PatientRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.person_name import FoldedName
from core.values.prediction import Prediction

_SCAN_SOP_CLASS = "1.2.840.10008.5.1.4.1.1.77.1.5.4"
_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
RECEIVED_AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


def keep_prediction(
    session: Session, prediction: Prediction, preview_key: str | None = None
) -> InstanceRow:
    """Record a prediction with its patient, study, series and instance; return the instance."""
    instance = keep_instance(
        session,
        prediction.patient,
        prediction.source,
        outcome=InstanceOutcome.PREDICTED,
        received_at=prediction.received_at,
    )
    assert instance.id is not None
    record_prediction(session, prediction, instance.id, preview_key)
    session.flush()
    return instance


def keep_instance(
    session: Session,
    patient: PatientIdentity,
    source: InstanceIdentity,
    outcome: InstanceOutcome = InstanceOutcome.PENDING,
    received_at: datetime = RECEIVED_AT,
    storage_key: str = "00/none.dcm",
) -> InstanceRow:
    """Add an instance, and what is missing above it."""
    patient_row = keep_patient(session, patient)
    study = _keep_study(session, patient_row, source, received_at)
    series = _keep_series(session, study, source)
    instance = InstanceRow(
        series_key=series.id,
        sop_instance_uid=source.sop_instance_uid,
        sop_class_uid=_SCAN_SOP_CLASS,
        transfer_syntax_uid=_EXPLICIT_LITTLE_ENDIAN,
        digest="ab" * 32,
        size_bytes=1024,
        storage_key=storage_key,
        outcome=outcome,
        received_at=received_at,
    )
    session.add(instance)
    session.flush()
    return instance


def keep_patient(session: Session, patient: PatientIdentity) -> PatientRow:
    """Add a patient once."""
    statement = select(PatientRow).where(
        col(PatientRow.patient_id) == patient.patient_id,
        col(PatientRow.issuer) == (patient.issuer or ""),
    )
    folded = FoldedName.of(patient.name)
    row = session.exec(statement).first() or PatientRow(
        patient_id=patient.patient_id,
        issuer=patient.issuer or "",
        name=patient.name,
        name_alphabetic=folded.alphabetic,
        name_ideographic=folded.ideographic,
        name_phonetic=folded.phonetic,
        birth_date=patient.birth_date,
        sex=patient.sex,
    )
    session.add(row)
    session.flush()
    return row


def _keep_study(
    session: Session, patient: PatientRow, source: InstanceIdentity, received_at: datetime
) -> StudyRow:
    uid = source.study_instance_uid
    statement = select(StudyRow).where(col(StudyRow.study_instance_uid) == uid)
    row = session.exec(statement).first() or StudyRow(
        patient_key=patient.id,
        study_instance_uid=uid,
        study_id="S1",
        accession_number=source.accession_number,
        study_date=date(2011, 1, 15),
        study_time="101500",
        received_at=received_at,
    )
    session.add(row)
    session.flush()
    return row


def _keep_series(session: Session, study: StudyRow, source: InstanceIdentity) -> SeriesRow:
    uid = source.series_instance_uid
    statement = select(SeriesRow).where(col(SeriesRow.series_instance_uid) == uid)
    row = session.exec(statement).first() or SeriesRow(
        study_key=study.id, series_instance_uid=uid, modality="OPT"
    )
    session.add(row)
    session.flush()
    return row
