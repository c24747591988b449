"""Finding what is kept by the levels of the information model."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from core.tables.instances import InstanceRow
from core.tables.patients import PatientRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow


def find_study(session: Session, study_instance_uid: str) -> StudyRow | None:
    """Return the row of a study, None where it is not kept."""
    known = col(StudyRow.study_instance_uid) == study_instance_uid
    return session.exec(select(StudyRow).where(known)).one_or_none()


def series_of_study(session: Session, study_key: int) -> Sequence[SeriesRow]:
    """Return the series of a study, oldest first."""
    statement = select(SeriesRow).where(col(SeriesRow.study_key) == study_key)
    return session.exec(statement.order_by(col(SeriesRow.id))).all()


def instances_of_study(session: Session, study_key: int) -> Sequence[InstanceRow]:
    """Return the instances of a study, in the order they came."""
    statement = (
        select(InstanceRow)
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .where(col(SeriesRow.study_key) == study_key)
        .order_by(col(InstanceRow.id))
    )
    return session.exec(statement).all()


def context_of_instance(
    session: Session, instance: InstanceRow
) -> tuple[PatientRow, StudyRow, SeriesRow]:
    """Return the patient, study and series an instance hangs below."""
    series = session.get_one(SeriesRow, instance.series_key)
    study = session.get_one(StudyRow, series.study_key)
    return session.get_one(PatientRow, study.patient_key), study, series


def find_kept(session: Session, sop_instance_uids: Sequence[str]) -> set[str]:
    """Return those of some SOP Instance UIDs whose bytes are kept, not only their record."""
    known = col(InstanceRow.sop_instance_uid)
    has_bytes = col(InstanceRow.bytes_removed_at).is_(None)
    return set(session.exec(select(known).where(known.in_(sop_instance_uids), has_bytes)).all())
