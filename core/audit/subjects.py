"""Whose an object is: the keys of the patients an audit entry about it must name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import or_
from sqlmodel import Session, col, select

from core.tables.deliveries import DeliveryRow
from core.tables.identity_changes import IdentityChangeRow
from core.tables.instances import InstanceRow
from core.tables.measured_fields import MeasuredFieldRow
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.quarantine import QuarantineRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow


def _patient_of_instance() -> Any:
    return (
        select(StudyRow.patient_key)
        .join(SeriesRow, col(SeriesRow.study_key) == col(StudyRow.id))
        .join(InstanceRow, col(InstanceRow.series_key) == col(SeriesRow.id))
    )


def _of_prediction(name: str) -> Any:
    joined = _patient_of_instance().join(
        PredictionRow, col(PredictionRow.instance_key) == col(InstanceRow.id)
    )
    return joined.where(col(PredictionRow.id) == name)


def _of_study(uid: str) -> Any:
    return select(StudyRow.patient_key).where(col(StudyRow.study_instance_uid) == uid)


def _of_series(uid: str) -> Any:
    joined = select(StudyRow.patient_key).join(
        SeriesRow, col(SeriesRow.study_key) == col(StudyRow.id)
    )
    return joined.where(col(SeriesRow.series_instance_uid) == uid)


def _of_instance(uid: str) -> Any:
    return _patient_of_instance().where(col(InstanceRow.sop_instance_uid) == uid)


def _of_delivery(key: str) -> Any:
    joined = _patient_of_instance().join(
        DeliveryRow, col(DeliveryRow.instance_key) == col(InstanceRow.id)
    )
    return joined.where(col(DeliveryRow.id) == int(key)) if key.isdecimal() else None


def _of_measured_field(key: str) -> Any:
    statement = select(MeasuredFieldRow.patient_key)
    return statement.where(col(MeasuredFieldRow.id) == int(key)) if key.isdecimal() else None


def _of_quarantined(key: str) -> Any:
    """Return whose a kept object of the same UID is; of most that lie aside nobody knows."""
    joined = _patient_of_instance().join(
        QuarantineRow,
        col(QuarantineRow.sop_instance_uid) == col(InstanceRow.sop_instance_uid),
    )
    return joined.where(col(QuarantineRow.id) == int(key)) if key.isdecimal() else None


def _of_identity_change(key: str) -> Any:
    """Return whose something is by a change, and whose it was before."""
    if not key.isdecimal():
        return None
    is_it = col(IdentityChangeRow.id) == int(key)
    now, before = (
        select(column).where(is_it)
        for column in (IdentityChangeRow.patient_key, IdentityChangeRow.from_patient_key)
    )
    return select(PatientRow.id).where(
        or_(col(PatientRow.id).in_(now), col(PatientRow.id).in_(before))
    )


_STATEMENTS: Final[Mapping[str, Callable[[str], Any]]] = {
    "prediction": _of_prediction,
    "study": _of_study,
    "series": _of_series,
    "instance": _of_instance,
    "delivery": _of_delivery,
    "measured-field": _of_measured_field,
    "identity-change": _of_identity_change,
}
#: Objects that are a patient's.
PATIENTS_OBJECTS: Final = frozenset({"patient", *_STATEMENTS})
#: Objects that may be one's.
_OTHERS: Final[Mapping[str, Callable[[str], Any]]] = {"quarantine": _of_quarantined}


def patients_of_studies(session: Session, uids: Sequence[str]) -> list[int]:
    """Return the keys of the patients these studies belong to."""
    statement = select(StudyRow.patient_key).where(col(StudyRow.study_instance_uid).in_(uids))
    return list(dict.fromkeys(session.exec(statement).all()))


def patients_of(session: Session, kind: str, identifier: str) -> list[int]:
    """Return the keys of the patients an object belongs to; none for what is nobody's."""
    make = _STATEMENTS.get(kind) or _OTHERS.get(kind)
    statement = make(identifier) if make is not None and identifier else None
    return [] if statement is None else [int(key) for key in session.exec(statement).all()]
