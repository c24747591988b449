"""Which kept instances an order to score again means: of a study, a patient, a time, or all."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from core.errors import RecordNotFound
from core.patients import AmbiguousPatient, patients_named
from core.rescorings import RescoringModel, begin_rescoring
from core.tables.instances import InstanceRow
from core.tables.rescorings import RescoringRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from dicom_node.devices.input_class import OCT_SCANS, PHOTOGRAPHS

#: The classes that each kind of model may read, by the kind's name.
_CLASSES: Final = {"profile": OCT_SCANS, "fundus": PHOTOGRAPHS}


@dataclass(frozen=True)
class ArchivePart:
    """Which part of the archive is meant; None leaves a condition out, without any it is all.

    Attributes
    ----------
    issuer
        Of the Patient ID, where several issuers use it.
    since
        Received at this moment or later.
    """

    study_instance_uid: str | None = None
    patient_id: str | None = None
    issuer: str | None = None
    since: datetime | None = None


def rescore(session: Session, model: RescoringModel, part: ArchivePart) -> RescoringRow:
    """Enqueue what a model has yet to score of a part of the archive.

    Raises
    ------
    RecordNotFound
        If no such study, or no such patient, is kept.
    AmbiguousPatient
        If several issuers use the Patient ID and none is named.
    """
    classes = sorted(_CLASSES[model.kind])
    meant: list[ColumnElement[bool]] = [col(InstanceRow.sop_class_uid).in_(classes)]
    if part.study_instance_uid is not None:
        meant.append(_of_study(session, part.study_instance_uid))
    if part.patient_id is not None:
        meant.append(_of_patient(session, part.patient_id, part.issuer))
    if part.since is not None:
        meant.append(col(InstanceRow.received_at) >= part.since)
    return begin_rescoring(session, model, meant)


def _of_study(session: Session, study_instance_uid: str) -> ColumnElement[bool]:
    named = select(StudyRow.id).where(col(StudyRow.study_instance_uid) == study_instance_uid)
    key = session.exec(named).first()
    if key is None:
        raise RecordNotFound("No study with that Study Instance UID is kept")
    series = select(SeriesRow.id).where(col(SeriesRow.study_key) == key)
    return col(InstanceRow.series_key).in_(series)


def _of_patient(session: Session, patient_id: str, issuer: str | None) -> ColumnElement[bool]:
    patients = patients_named(session, patient_id, issuer)
    if not patients:
        raise RecordNotFound("No patient with that Patient ID is known")
    if len(patients) > 1:
        raise AmbiguousPatient([patient.issuer for patient in patients])
    series = (
        select(SeriesRow.id)
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .where(col(StudyRow.patient_key) == patients[0].id)
    )
    return col(InstanceRow.series_key).in_(series)
