"""The rows of patient, study and series an instance hangs below.

A study changes its patient by a correction only (`core.identities`) and a series never its study:
what claims otherwise is refused. A Patient ID that was merged into another, or that a study had
before it was moved, names the patient of today.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Connection,
    String,
    Table,
    bindparam,
    exists,
    insert,
    literal_column,
    or_,
    select,
)

from core.driver_statement import DriverStatement, is_one_of
from core.tables.columns import table_of
from core.tables.identity_changes import IdentityChangeKind, IdentityChangeRow
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

_SERIES: Final = table_of(SeriesRow)
_STUDIES: Final = table_of(StudyRow)
_PATIENTS: Final = table_of(PatientRow)
_KNOWN_SERIES: Final = DriverStatement(
    lambda dialect: (
        select(_SERIES.c.series_instance_uid, _SERIES.c.id)
        .add_columns(_STUDIES.c.study_instance_uid, _PATIENTS.c.patient_id, _PATIENTS.c.issuer)
        .join_from(_SERIES, _STUDIES, _STUDIES.c.id == _SERIES.c.study_key)
        .join(_PATIENTS, _PATIENTS.c.id == _STUDIES.c.patient_key)
        .where(is_one_of(_SERIES.c.series_instance_uid, "uids", dialect))
    )
)
_CHANGES: Final = table_of(IdentityChangeRow)
_TAKEN_BACK: Final = _CHANGES.alias()
_FIND_SERIES: Final = DriverStatement(
    lambda _dialect: select(_SERIES.c.id, _SERIES.c.study_key).where(
        _SERIES.c.series_instance_uid == bindparam("uid")
    )
)
_FIND_STUDY: Final = DriverStatement(
    lambda _dialect: (
        select(_STUDIES.c.id, _PATIENTS.c.patient_id, _PATIENTS.c.issuer)
        .join(_PATIENTS, _PATIENTS.c.id == _STUDIES.c.patient_key)
        .where(_STUDIES.c.study_instance_uid == bindparam("uid"))
    )
)
_FIND_PATIENT: Final = DriverStatement(
    lambda _dialect: (
        select(_PATIENTS.c.id, _PATIENTS.c.merged_into)
        .where(
            _PATIENTS.c.patient_id == bindparam("patient_id"),
            _PATIENTS.c.issuer == bindparam("issuer"),
        )
        # Whoever merges the patient waits for the study that is made below it, or is waited for.
        .with_for_update(read=True, key_share=True)
    )
)
_ISSUER: Final = bindparam("issuer", type_=String)
#: Whether a study knows a Patient ID by a correction; a move that was taken back is none.
_KNOWS: Final = DriverStatement(
    lambda _dialect: (
        select(_PATIENTS.c.id)
        .select_from(_STUDIES)
        .join(
            _PATIENTS,
            or_(
                _PATIENTS.c.merged_into == _STUDIES.c.patient_key,
                exists().where(
                    _CHANGES.c.study_key == _STUDIES.c.id,
                    _CHANGES.c.from_patient_key == _PATIENTS.c.id,
                    _CHANGES.c.kind == literal_column(f"'{IdentityChangeKind.STUDY_MOVED}'"),
                    _CHANGES.c.id.not_in(
                        select(_TAKEN_BACK.c.undoes).where(_TAKEN_BACK.c.undoes.is_not(None))
                    ),
                ),
            ),
        )
        .where(
            _STUDIES.c.id == bindparam("study_key"),
            _PATIENTS.c.patient_id == bindparam("patient_id"),
            # Within one study, an instance that names no issuer contradicts nobody.
            or_(
                _PATIENTS.c.issuer == _ISSUER,
                _PATIENTS.c.issuer == literal_column("''"),
                literal_column("''") == _ISSUER,
            ),
        )
    )
)


def _adding(table: Table, *names: str) -> DriverStatement:
    given: dict[str, Any] = {name: bindparam(name) for name in names}
    return DriverStatement(lambda _dialect: insert(table).values(given).returning(table.c.id))


_ADD_PATIENT: Final = _adding(
    _PATIENTS,
    "patient_id",
    "issuer",
    "name",
    "name_alphabetic",
    "name_ideographic",
    "name_phonetic",
    "birth_date",
    "sex",
)
_ADD_STUDY: Final = _adding(
    _STUDIES,
    "patient_key",
    "named_patient_key",
    "study_instance_uid",
    "study_id",
    "accession_number",
    "study_date",
    "study_time",
    "study_description",
    "referring_physician_name",
    "referring_physician_folded",
    "received_at",
)
_ADD_SERIES: Final = _adding(
    _SERIES,
    "study_key",
    "series_instance_uid",
    "modality",
    "series_number",
    "series_description",
    "laterality",
    "manufacturer",
    "manufacturer_model_name",
    "device_serial_number",
    "series_date",
    "series_time",
    "step_start_date",
    "step_start_time",
    "scheduled_procedure_step_ids",
    "requested_procedure_ids",
)


def find_series_keys(connection: Connection, headers: Sequence[Header]) -> dict[str, int]:
    """Return the primary key of the series of each instance that agrees with what is known.

    One statement for many instances, by SOP Instance UID; for what is left out, `settle_series`
    makes the rows or refuses.
    """
    uids = list({header.series_instance_uid for header in headers})
    known = {uid: row for uid, *row in _KNOWN_SERIES.run(connection, {"uids": uids})}
    keys: dict[str, int] = {}
    for header in headers:
        if header.series_instance_uid in known:
            key, study_uid, patient_id, issuer = known[header.series_instance_uid]
            if study_uid == header.study_instance_uid and is_same_patient(
                patient_id, issuer, header
            ):
                keys[header.sop_instance_uid] = key
    return keys


def settle_series(connection: Connection, header: Header, received_at: datetime) -> int:
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
    series_key, study_key = _find_agreeing(connection, header)
    if series_key is not None:
        return series_key
    if study_key is None:
        study_key = _add_study(connection, header, received_at)
    return _added(_ADD_SERIES, connection, _new_series(header, study_key))


def _find_agreeing(connection: Connection, header: Header) -> tuple[int | None, int | None]:
    """Return the keys of the series and of the study, None for each that is not known."""
    # The series first: another association may commit both between these two statements, and a
    # series seen without its study would look like a conflict.
    series = _FIND_SERIES.run(connection, {"uid": header.series_instance_uid})
    study = _FIND_STUDY.run(connection, {"uid": header.study_instance_uid})
    study_key = None
    if study:
        study_key, patient_id, issuer = study[0]
        if not names_patient(connection, study_key, patient_id, issuer, header):
            raise PatientConflict
    if series and series[0][1] != study_key:
        raise HierarchyConflict
    return (series[0][0] if series else None), study_key


def is_same_patient(patient_id: str, issuer: str, header: Header) -> bool:
    """Whether a header names the patient its study is known under."""
    # Within one study, an instance that names no issuer contradicts nobody.
    same_issuer = issuer == header.issuer or not (issuer and header.issuer)
    return patient_id == header.patient_id and same_issuer


def names_patient(
    connection: Connection, study_key: int, patient_id: str, issuer: str, header: Header
) -> bool:
    """Whether a header names the patient of a study, by today's Patient ID or a former one."""
    if is_same_patient(patient_id, issuer, header):
        return True
    asked = {"study_key": study_key, "patient_id": header.patient_id, "issuer": header.issuer}
    return bool(_KNOWS.run(connection, asked))


def settle_patient(connection: Connection, header: Header) -> tuple[int, int | None]:
    """Return the key of the patient a header names, made where there was none.

    Returns
    -------
    tuple of int and int or None
        The patient of today, and the record that was merged into it where the header names that.
    """
    identity = {"patient_id": header.patient_id, "issuer": header.issuer}
    known = _FIND_PATIENT.run(connection, identity)
    if known:
        key, merged_into = known[0]
        return (int(merged_into), int(key)) if merged_into is not None else (int(key), None)
    return _added(_ADD_PATIENT, connection, {**identity, **patient_attributes(header)}), None


def _add_study(connection: Connection, header: Header, received_at: datetime) -> int:
    return _added(_ADD_STUDY, connection, _new_study(connection, header, received_at))


def _new_study(connection: Connection, header: Header, received_at: datetime) -> Mapping[str, Any]:
    patient_key, named_key = settle_patient(connection, header)
    return {
        "patient_key": patient_key,
        "named_patient_key": named_key,
        "study_instance_uid": header.study_instance_uid,
        "received_at": received_at,
        **study_attributes(header),
    }


def _new_series(header: Header, study_key: int) -> Mapping[str, Any]:
    return {
        "study_key": study_key,
        "series_instance_uid": header.series_instance_uid,
        **series_attributes(header),
    }


def _added(statement: DriverStatement, connection: Connection, values: Mapping[str, Any]) -> int:
    [(key,)] = statement.run(connection, values)
    return int(key)
