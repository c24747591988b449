"""What follows a study to another patient: results, measured fields, reports."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sqlmodel import Session, col, select

from core.deliveries.letting_go import IDENTITY_CORRECTED, let_go
from core.identities.corrected_values import is_born_anew
from core.ledger import enqueue_all
from core.study_summaries import open_again
from core.tables.columns import key_of
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind
from core.tables.measured_fields import MeasuredFieldRow
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.tables.study_summaries import StudySummaryRow
from core.tables.summary_reports import SummaryReportRow
from core.values.prediction import PredictionStatus

_DAYS_A_YEAR: Final = 365.25
#: Ages that differ by less come of rounding: Patient's Age holds whole years.
_SAME_AGE_YEARS: Final = 1.0
_OTHER_AGE: Final = "The birth date was corrected after this eye was scored: "


def let_follow(
    session: Session, studies: Sequence[StudyRow], patient: PatientRow, at: datetime
) -> list[str]:
    """Have everything of studies that are this patient's, as the record has them now, say so.

    Predictions need nothing: they hang on their study. Reports tell who it is, and are built anew;
    those of both eyes with the next version of the summary, which always follows.

    Returns
    -------
    list of str
        Study Instance UIDs whose summary was opened again: `STUDY_REOPENED` is the caller's to
        tell, last.
    """
    keys = [key_of(study) for study in studies]
    if not keys:
        return []
    given = {study.id for study in studies if study.named_patient_key is not None}
    is_new = is_born_anew(session, patient)
    predictions = _predictions_of(session, keys)
    for row, study_key in predictions:
        # Of a study that is with whom its objects name, the device said the age itself.
        _note_age(row, patient.birth_date if is_new or study_key in given else None)
    session.flush()
    reported = _reported(session, [row.id for row, _ in predictions])
    enqueue_all(session.connection(), JobKind.REISSUE, reported)
    let_go(session, _reports_of_both_eyes(session, keys), IDENTITY_CORRECTED, at)
    return open_again(session, keys, at)


def move_measured_fields(
    session: Session, former_key: int, patient_key: int, study_key: int | None = None
) -> list[int]:
    """Give the measured fields of a patient, or of one study, to another; return their keys."""
    statement = select(MeasuredFieldRow).where(col(MeasuredFieldRow.patient_key) == former_key)
    if study_key is not None:
        statement = (
            statement.join(InstanceRow, col(InstanceRow.id) == col(MeasuredFieldRow.instance_key))
            .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
            .where(col(SeriesRow.study_key) == study_key)
        )
    rows = session.exec(statement.order_by(col(MeasuredFieldRow.id))).all()
    for row in rows:
        row.patient_key = patient_key
    return [key_of(row) for row in rows]


def _predictions_of(
    session: Session, study_keys: Sequence[int]
) -> Sequence[tuple[PredictionRow, int]]:
    """Return the standing predictions of studies, each with its study."""
    statement = (
        select(PredictionRow, SeriesRow.study_key)
        .join(InstanceRow, col(InstanceRow.id) == col(PredictionRow.instance_key))
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .where(col(SeriesRow.study_key).in_(study_keys))
        .where(col(PredictionRow.status) != PredictionStatus.SUPERSEDED)
        .order_by(col(PredictionRow.id))
    )
    return session.exec(statement).all()


def _note_age(row: PredictionRow, birth_date: date | None) -> None:
    """Say where a result was compared with the norm of another age; never twice."""
    notes = [note for note in row.notes if not note.startswith(_OTHER_AGE)]
    note = _other_age(row, birth_date)
    row.notes = [*notes, note] if note else notes


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


def _reported(session: Session, prediction_ids: Sequence[str]) -> list[str]:
    statement = select(ReportRow.prediction_id).where(
        col(ReportRow.prediction_id).in_(prediction_ids)
    )
    return sorted(set(session.exec(statement).all()))


def _reports_of_both_eyes(session: Session, study_keys: Sequence[int]) -> Sequence[int]:
    """Return the objects that tell both eyes of studies, of every version."""
    statement = (
        select(SummaryReportRow.instance_key)
        .join(StudySummaryRow, col(StudySummaryRow.id) == col(SummaryReportRow.summary_key))
        .where(col(StudySummaryRow.study_key).in_(study_keys))
    )
    return session.exec(statement).all()
