"""What is said beside a result that was compared with the norm of another age."""

from datetime import date
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from core.identities.corrected_values import is_born_anew
from core.tables.instances import InstanceRow
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow

_DAYS_A_YEAR: Final = 365.25
#: Ages that differ by less come of rounding: Patient's Age holds whole years.
_SAME_AGE_YEARS: Final = 1.0
_OTHER_AGE: Final = "The birth date was corrected, but not in the scan: "
#: How notes begin that were written before.
_FORMERLY: Final = "The birth date was corrected after this eye was scored: "


def note_age(row: PredictionRow, birth_date: date | None) -> None:
    """Say where a result was compared with the norm of another age; never twice."""
    notes = [note for note in row.notes if not note.startswith((_OTHER_AGE, _FORMERLY))]
    note = _other_age(row, birth_date)
    row.notes = [*notes, note] if note else notes


def note_age_of_scan(session: Session, row: PredictionRow) -> None:
    """Say it of a result that is recorded now: its scan may not know what was corrected since."""
    statement = (
        select(col(StudyRow.named_patient_key), PatientRow)
        .join(PatientRow, col(PatientRow.id) == col(StudyRow.patient_key))
        .join(SeriesRow, col(SeriesRow.study_key) == col(StudyRow.id))
        .join(InstanceRow, col(InstanceRow.series_key) == col(SeriesRow.id))
        .where(col(InstanceRow.id) == row.instance_key)
    )
    named_patient_key, patient = session.execute(statement).one()
    # Of a study that is with whom its objects name, the device said the age itself.
    if named_patient_key is not None or is_born_anew(session, patient):
        note_age(row, patient.birth_date)


def _other_age(row: PredictionRow, birth_date: date | None) -> str | None:
    if row.age_years is None or row.acquired_at is None or birth_date is None:
        return None
    years = (row.acquired_at.date() - birth_date).days / _DAYS_A_YEAR
    if abs(years - row.age_years) < _SAME_AGE_YEARS:
        return None
    return (
        f"{_OTHER_AGE}it was compared with the norm of {row.age_years:.0f} years instead of "
        f"{years:.0f}. Have the scan sent again with the right birth date."
    )
