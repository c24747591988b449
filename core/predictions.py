"""The record of predictions: a value in, a value out; rows stay in here."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Select, select
from sqlmodel import Session, col

from core.changes import append_change
from core.errors import RecordNotFound
from core.identities.other_age import note_age_of_scan
from core.prediction_rows import prediction_of, row_of
from core.tables.changes import ChangeKind
from core.tables.instances import InstanceRow
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.values.prediction import Prediction, PredictionStatus

_STANDING: Final = col(PredictionRow.status) != PredictionStatus.SUPERSEDED
_WITHOUT_SUCCESSOR: Final = col(PredictionRow.superseded_by).is_(None)


def select_predictions() -> Select[PredictionRow, InstanceRow, SeriesRow, StudyRow, PatientRow]:
    """Return the statement that joins a prediction with instance, series, study and patient."""
    return (
        select(PredictionRow, InstanceRow, SeriesRow, StudyRow, PatientRow)
        .join(InstanceRow, col(InstanceRow.id) == col(PredictionRow.instance_key))
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .join(PatientRow, col(PatientRow.id) == col(StudyRow.patient_key))
    )


def load_prediction(session: Session, prediction_id: str) -> Prediction:
    """Return one prediction.

    Raises
    ------
    RecordNotFound
        If there is none with that identifier.
    """
    statement = select_predictions().where(col(PredictionRow.id) == prediction_id)
    record = session.execute(statement).one_or_none()
    if record is None:
        raise RecordNotFound("There is no prediction with that id")
    return prediction_of(record)


def load_patient(session: Session, prediction_id: str) -> PatientRow:
    """Return whose a prediction is today.

    Raises
    ------
    RecordNotFound
        If there is no such prediction.
    """
    statement = select_predictions().where(col(PredictionRow.id) == prediction_id)
    record = session.execute(statement).one_or_none()
    if record is None:
        raise RecordNotFound("There is no prediction with that id")
    patient: PatientRow = record[4]
    return patient


def picture_key(session: Session, prediction_id: str) -> str | None:
    """Return where the picture of a prediction's scan is kept, None where there is none."""
    row = session.get(PredictionRow, prediction_id)
    return None if row is None else row.preview_key


def record_prediction(
    session: Session,
    prediction: Prediction,
    instance_key: int,
    preview_key: str | None,
    fundus_key: str | None = None,
) -> str:
    """Record a prediction in the caller's transaction and return the id it is kept under.

    The keys are those of the pictures that are kept of its scan and of the fundus.

    Scoring the same instance with the same weights again returns the first one's id and records
    nothing, so that a repeated job has one effect. Only a failure is no answer: one that is there
    when its job was retried with success, or by another model, is superseded.
    """
    standing = _rows_of(session, instance_key, _STANDING)
    overcome = [row for row in standing if _is_overcome(row, prediction)]
    for row in standing:
        if row.model_digest == prediction.model.digest and row not in overcome:
            return row.id
    for row in overcome:
        row.status = PredictionStatus.SUPERSEDED
    # Written before the answer, of which there may be one per instance and weights.
    session.flush()
    row = row_of(prediction, instance_key, preview_key)
    row.fundus_key = fundus_key
    session.add(row)
    session.flush()
    note_age_of_scan(session, row)
    for row in _rows_of(session, instance_key, ~_STANDING, _WITHOUT_SUCCESSOR):
        row.superseded_by = prediction.prediction_id
    append_change(session, ChangeKind.PREDICTION_RECORDED, prediction.prediction_id)
    return prediction.prediction_id


def supersede_predictions(session: Session, instance_key: int) -> list[str]:
    """Let no prediction of an instance stand, as its scan is another now; return their ids.

    The prediction that is recorded next is named as the one that replaces them.
    """
    rows = _rows_of(session, instance_key, _STANDING)
    for row in rows:
        row.status = PredictionStatus.SUPERSEDED
    return [row.id for row in rows]


def _rows_of(
    session: Session, instance_key: int, *conditions: ColumnElement[bool]
) -> Sequence[PredictionRow]:
    of_instance = col(PredictionRow.instance_key) == instance_key
    return session.execute(select(PredictionRow).where(of_instance, *conditions)).scalars().all()


def _is_overcome(recorded: PredictionRow, later: Prediction) -> bool:
    failed = PredictionStatus.FAILED
    is_same_failure = later.status is failed and recorded.model_digest == later.model.digest
    return recorded.status == failed and not is_same_failure
