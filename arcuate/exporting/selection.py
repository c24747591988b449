"""Which objects are given out: what was received, study by study's day or model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import and_, exists, func, or_
from sqlmodel import Session, col, select

from arcuate.exporting.order import ExportOrder
from core.database import Database
from core.research import STANDING, with_model
from core.tables.columns import key_of
from core.tables.instances import InstanceOrigin, InstanceRow
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.values.identity import PatientIdentity

_BATCH: Final = 200


@dataclass(frozen=True)
class ChosenObject:
    """An object to be given out.

    Attributes
    ----------
    analysis
        Codes of the reasons that its analysis gave.
    """

    storage_key: str
    sop_instance_uid: str
    sop_class_uid: str
    study_instance_uid: str
    is_kept: bool
    patient: PatientIdentity
    analysis: frozenset[str]


def count_objects(database: Database, order: ExportOrder) -> int:
    """Return how many objects are chosen."""
    statement = _joined(select(func.count()).select_from(InstanceRow)).where(*_conditions(order))
    with database.reading() as session:
        return int(session.execute(statement).scalar_one())


def patients_chosen(database: Database, order: ExportOrder) -> list[int]:
    """Return the keys of the patients whose objects are chosen."""
    statement = _joined(select(col(PatientRow.id)).distinct().select_from(InstanceRow))
    with database.reading() as session:
        return [int(key) for (key,) in session.execute(statement.where(*_conditions(order)))]


def chosen_objects(database: Database, order: ExportOrder) -> Iterator[ChosenObject]:
    """Yield the chosen objects, a few read at a time: an archive is larger than memory."""
    statement = _joined(select(InstanceRow, StudyRow, PatientRow)).where(*_conditions(order))
    last = 0
    while True:
        with database.reading() as session:
            page = statement.where(col(InstanceRow.id) > last).order_by(col(InstanceRow.id))
            rows = session.execute(page.limit(_BATCH)).all()
            reasons = _reasons(session, [key_of(row[0]) for row in rows])
        for instance, study, patient in rows:
            yield _chosen(instance, study, patient, reasons.get(key_of(instance), frozenset()))
        if len(rows) < _BATCH:
            return
        last = key_of(rows[-1][0])


def day_conditions(order: ExportOrder) -> list[Any]:
    """Return the conditions of a study's day: its date, or when it came where it has none."""
    conditions = []
    if order.since is not None:
        conditions.append(_from(order.since))
    if order.until is not None:
        conditions.append(~_from(order.until + timedelta(days=1)))
    return conditions


def _from(day: date) -> Any:
    date_of, came = col(StudyRow.study_date), col(StudyRow.received_at)
    begin = datetime.combine(day, time.min).astimezone()
    return or_(and_(date_of.is_not(None), date_of >= day), and_(date_of.is_(None), came >= begin))


def _joined(statement: Any) -> Any:
    return (
        statement.join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .join(PatientRow, col(PatientRow.id) == col(StudyRow.patient_key))
    )


def _conditions(order: ExportOrder) -> list[Any]:
    received = col(InstanceRow.origin) == InstanceOrigin.RECEIVED
    conditions = [received, *day_conditions(order)]
    return [*conditions, _is_scored_by(order.model)] if order.model else conditions


def _is_scored_by(model: str) -> Any:
    # Whatever belongs to the study goes with it: its localizers, its measured fields.
    scanned, series = InstanceRow.__table__.alias(), SeriesRow.__table__.alias()  # type: ignore[attr-defined]
    return exists().where(
        col(PredictionRow.instance_key) == scanned.c.id,
        scanned.c.series_key == series.c.id,
        series.c.study_key == col(StudyRow.id),
        col(PredictionRow.status).in_(STANDING),
        *with_model(model),
    )


def _reasons(session: Session, keys: Sequence[int]) -> dict[int, frozenset[str]]:
    statement = select(PredictionRow.instance_key, PredictionRow.reasons)
    found: dict[int, set[str]] = {}
    for key, reasons in session.execute(statement.where(col(PredictionRow.instance_key).in_(keys))):
        found.setdefault(key, set()).update(reason["code"] for reason in reasons)
    return {key: frozenset(codes) for key, codes in found.items()}


def _chosen(
    instance: InstanceRow, study: StudyRow, patient: PatientRow, analysis: frozenset[str]
) -> ChosenObject:
    identity = PatientIdentity(
        patient.patient_id, patient.issuer or None, patient.name, patient.birth_date, patient.sex
    )
    return ChosenObject(
        storage_key=instance.storage_key,
        sop_instance_uid=instance.sop_instance_uid,
        sop_class_uid=instance.sop_class_uid,
        study_instance_uid=study.study_instance_uid,
        is_kept=instance.bytes_removed_at is None,
        patient=identity,
        analysis=analysis,
    )
