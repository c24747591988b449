"""Reads what a report tells beside its own prediction: the other eye, earlier visits, old reports.

What a person said must not be used is told beside no other result.

The pictures of scans are not in the record; whoever draws the other eye reads them beside it.
"""

from typing import Final

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from core.eye_selection import of_eye, unindexed
from core.predictions import load_prediction
from core.reviews import withheld, withheld_predictions
from core.study_facts import read_facts
from core.tables.instances import InstanceRow
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.values.prediction import ModelIdentity, Prediction, PredictionStatus
from core.values.report_context import EarlierEstimate, KeptReport, ReportContext
from core.values.scan import Device, ScanKind

#: Points of a trend that a page can show; the newest are kept.
_MOST_EARLIER: Final = 60


def read_context(session: Session, prediction_id: str) -> ReportContext:
    """Return what is known around a prediction at this moment.

    Raises
    ------
    RecordNotFound
        If there is no such prediction.
    """
    prediction = load_prediction(session, prediction_id)
    row = session.get_one(PredictionRow, prediction_id)
    study = _study_of(session, row)
    return ReportContext(
        other_eye=_other_eye(session, study, prediction),
        earlier=_earlier(session, study, row),
        predecessors=_predecessors(session, prediction_id),
    )


def kept_reports(session: Session, condition: ColumnElement[bool]) -> tuple[KeptReport, ...]:
    """Return the kept reports that a condition on `reports` or `predictions` names."""
    statement = (
        select(ReportRow.kind, StudyRow.study_instance_uid, SeriesRow.series_instance_uid)
        .add_columns(col(InstanceRow.sop_class_uid), col(InstanceRow.sop_instance_uid))
        .join(PredictionRow, col(PredictionRow.id) == col(ReportRow.prediction_id))
        .join(InstanceRow, col(InstanceRow.id) == col(ReportRow.instance_key))
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .where(condition)
        .order_by(col(InstanceRow.id))
    )
    return tuple(KeptReport(*found) for found in session.execute(statement).all())


def _study_of(session: Session, row: PredictionRow) -> StudyRow:
    statement = (
        select(StudyRow)
        .join(SeriesRow, col(SeriesRow.study_key) == col(StudyRow.id))
        .join(InstanceRow, col(InstanceRow.series_key) == col(SeriesRow.id))
        .where(col(InstanceRow.id) == row.instance_key)
    )
    return session.exec(statement).one()


def _other_eye(session: Session, study: StudyRow, prediction: Prediction) -> Prediction | None:
    if prediction.laterality is None or study.id is None:
        return None
    for eye in read_facts(session, study.id).eyes:
        is_other = eye.laterality not in {None, prediction.laterality}
        if is_other and eye.current is not None:
            name = eye.current.prediction_id
            return None if withheld_predictions(session, [name]) else load_prediction(session, name)
    return None


def _earlier(session: Session, study: StudyRow, row: PredictionRow) -> tuple[EarlierEstimate, ...]:
    if row.laterality is None or row.acquired_at is None:
        return ()
    statement = (
        of_eye(select(PredictionRow), study.patient_key, row.laterality)
        .where(
            unindexed(col(PredictionRow.status)) == PredictionStatus.FINAL,
            col(PredictionRow.model_name) == row.model_name,
            col(PredictionRow.mean_deviation_db).is_not(None),
            col(PredictionRow.acquired_at) < row.acquired_at,
            # The same scan by other weights is no other visit.
            col(PredictionRow.instance_key) != row.instance_key,
            ~withheld(col(PredictionRow.id)),
        )
        .order_by(col(PredictionRow.acquired_at).desc(), col(PredictionRow.id))
        .limit(_MOST_EARLIER)
    )
    found = [_point_of(point) for point in session.exec(statement).all()]
    return tuple(point for point in reversed(found) if point is not None)


def _point_of(row: PredictionRow) -> EarlierEstimate | None:
    if row.acquired_at is None or row.mean_deviation_db is None:
        return None
    return EarlierEstimate(
        row.acquired_at,
        row.mean_deviation_db,
        ModelIdentity(row.model_name, row.model_version, row.model_digest),
        Device(row.manufacturer, row.manufacturer_model_name, row.device_serial_number),
        ScanKind(row.scan_kind) if row.scan_kind else None,
    )


def _predecessors(session: Session, prediction_id: str) -> tuple[KeptReport, ...]:
    return kept_reports(session, col(PredictionRow.superseded_by) == prediction_id)
