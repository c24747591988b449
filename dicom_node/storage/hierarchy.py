"""The rows of patient, study and series an instance hangs below.

A study never changes its patient and a series never its study: what claims otherwise is refused.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from core.tables.columns import table_of
from core.tables.patients import PatientRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from dicom_node.errors import HierarchyConflict, PatientConflict
from dicom_node.storage.header import Header
from dicom_node.storage.header_attributes import (
    patient_attributes,
    series_attributes,
    study_attributes,
)


def _find_agreeing(session: Session, header: Header) -> tuple[SeriesRow | None, StudyRow | None]:
    # The series first: another association may commit both between these two statements, and a
    # series seen without its study would look like a conflict.
    series = _find_series(session, header)
    study = _find_study(session, header)
    if study is not None and not _is_same_patient(session, study, header):
        raise PatientConflict
    if series is not None and (study is None or series.study_key != study.id):
        raise HierarchyConflict
    return series, study


_SERIES: Final = table_of(SeriesRow)
_STUDIES: Final = table_of(StudyRow)
_PATIENTS: Final = table_of(PatientRow)
_KNOWN_SERIES: Final = (
    select(_SERIES.c.series_instance_uid, _SERIES.c.id, _STUDIES.c.study_instance_uid)
    .add_columns(_PATIENTS.c.patient_id, _PATIENTS.c.issuer)
    .join_from(_SERIES, _STUDIES, _STUDIES.c.id == _SERIES.c.study_key)
    .join(_PATIENTS, _PATIENTS.c.id == _STUDIES.c.patient_key)
    .where(_SERIES.c.series_instance_uid.in_(bindparam("uids", expanding=True)))
)


def find_series_keys(session: Session, headers: Sequence[Header]) -> dict[str, int]:
    """Return the primary key of the series of each instance that agrees with what is known.

    One statement for many instances, by SOP Instance UID; for what is left out, `settle_series`
    makes the rows or refuses.
    """
    uids = list({header.series_instance_uid for header in headers})
    found = session.connection().execute(_KNOWN_SERIES, {"uids": uids})
    known = {uid: row for uid, *row in found}
    keys: dict[str, int] = {}
    for header in headers:
        if header.series_instance_uid in known:
            key, study_uid, patient_id, issuer = known[header.series_instance_uid]
            if study_uid == header.study_instance_uid and _agree(patient_id, issuer, header):
                keys[header.sop_instance_uid] = key
    return keys


def settle_series(session: Session, header: Header, received_at: datetime) -> int:
    """Return the primary key of the series, with every row above it, made where it was missing.

    Raises
    ------
    PatientConflict
        If its study is known under another patient.
    HierarchyConflict
        If its series is known under another study.
    """
    # Only rows that were checked are used: one that another association commits from now on must
    # not be found unchecked. It meets a unique constraint instead, and the caller tries anew.
    series, study = _find_agreeing(session, header)
    if series is None:
        study = study or _add_study(session, header, received_at)
        series = _new_series(header, _key(study.id))
        session.add(series)
        session.flush()
    return _key(series.id)


def _find_study(session: Session, header: Header) -> StudyRow | None:
    known = col(StudyRow.study_instance_uid) == header.study_instance_uid
    return session.exec(select(StudyRow).where(known)).one_or_none()


def _find_series(session: Session, header: Header) -> SeriesRow | None:
    known = col(SeriesRow.series_instance_uid) == header.series_instance_uid
    return session.exec(select(SeriesRow).where(known)).one_or_none()


def _is_same_patient(session: Session, study: StudyRow, header: Header) -> bool:
    patient = session.get_one(PatientRow, study.patient_key)
    return _agree(patient.patient_id, patient.issuer, header)


def _agree(patient_id: str, issuer: str, header: Header) -> bool:
    # Within one study, an instance that names no issuer contradicts nobody.
    same_issuer = issuer == header.issuer or not (issuer and header.issuer)
    return patient_id == header.patient_id and same_issuer


def _add_study(session: Session, header: Header, received_at: datetime) -> StudyRow:
    study = _new_study(header, _settle_patient(session, header), received_at)
    session.add(study)
    session.flush()
    return study


def _settle_patient(session: Session, header: Header) -> int:
    known = select(PatientRow).where(
        col(PatientRow.patient_id) == header.patient_id, col(PatientRow.issuer) == header.issuer
    )
    patient = session.exec(known).one_or_none()
    if patient is None:
        patient = PatientRow(
            patient_id=header.patient_id,
            issuer=header.issuer,
            **patient_attributes(header),
        )
        session.add(patient)
        session.flush()
    return _key(patient.id)


def _new_study(header: Header, patient_key: int, received_at: datetime) -> StudyRow:
    return StudyRow(
        patient_key=patient_key,
        study_instance_uid=header.study_instance_uid,
        received_at=received_at,
        **study_attributes(header),
    )


def _new_series(header: Header, study_key: int) -> SeriesRow:
    return SeriesRow(
        study_key=study_key,
        series_instance_uid=header.series_instance_uid,
        **series_attributes(header),
    )


def _key(primary_key: int | None) -> int:
    if primary_key is None:
        raise ValueError("the row was not flushed")
    return primary_key
