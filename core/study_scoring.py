"""Jobs of the Watson-compatible API about stored studies: an extension of ours, `type` `dicom`.

A scan that the model of the job has not scored yet is scored as if it had just come, with all that
follows: its prediction, its reports, what is sent to others.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, func, select

from core import ledger
from core.tables.columns import key_of
from core.tables.instances import InstanceOrigin, InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.predictions import PredictionRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.tensor_scores import TensorsRefused
from core.values.prediction import PredictionStatus

#: The kind of reference that means what is stored here.
DICOM: Final = "dicom"
#: Studies of one job.
MOST_STUDIES: Final = 100
_OPEN: Final = (JobStatus.QUEUED, JobStatus.RUNNING)


def study_uids_of(scoring: Mapping[str, Any]) -> list[str]:
    """Return the Study Instance UIDs that a request names.

    Raises
    ------
    TensorsRefused
        If its references are others, or too many.
    """
    references = scoring.get("input_data_references")
    if not isinstance(references, list) or not 1 <= len(references) <= MOST_STUDIES:
        raise TensorsRefused(f"`input_data_references` is a list of 1 to {MOST_STUDIES} studies")
    return [_uid_of(reference) for reference in references]


def score_studies(
    session: Session, uids: Sequence[str], model: tuple[str, str], since: datetime
) -> list[dict[str, Any]] | None:
    """Return what a model said of the scans of some studies; None while it has not yet.

    Scans it has not seen are given to it, in the caller's transaction.

    Parameters
    ----------
    model
        Its name and version.
    since
        When the job was given: what was tried after that is not tried again.

    Raises
    ------
    TensorsRefused
        If a study is not kept here, or another model scores now.
    """
    told = [_score_study(session, uid, model, since) for uid in dict.fromkeys(uids)]
    if any(rows is None for rows in told):
        return None
    return [row for rows in told for row in rows or ()]


def predictions_of_studies(rows: Sequence[Mapping[str, Any]], output: str) -> list[dict[str, Any]]:
    """Return one entry for the output: a row for each field, and for each scan how it ended."""
    values: list[list[float]] = []
    scans: list[dict[str, Any]] = []
    for row in rows:
        field = row["sensitivities"]
        told = {name: found for name, found in row.items() if name != "sensitivities"}
        scans.append({**told, "row": None if field is None else len(values)})
        values += [] if field is None else [field]
    return [{"id": output, "values": values, "scans": scans}]


def _uid_of(reference: Any) -> str:
    is_ours = isinstance(reference, dict) and reference.get("type") == DICOM
    location = reference.get("location") if is_ours else None
    uid = location.get("study_uid") if isinstance(location, dict) else None
    if not isinstance(uid, str) or not uid:
        raise TensorsRefused(
            'A reference is {"type": "dicom", "location": {"study_uid": "…"}}: other sources are '
            "not read here, send their rows as `input_data`"
        )
    return uid


def _score_study(
    session: Session, uid: str, model: tuple[str, str], since: datetime
) -> list[dict[str, Any]] | None:
    instances = _scans_of(session, uid)
    if not instances:
        raise TensorsRefused("A study that the job names is not kept here, or has no objects")
    told = [_score_scan(session, instance, model, since) for instance in instances]
    if not all(is_settled for _, is_settled in told):
        return None
    return [{"study_uid": uid, **row} for row, _ in told if row is not None]


def _scans_of(session: Session, uid: str) -> Sequence[InstanceRow]:
    statement = (
        select(InstanceRow)
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .where(
            col(StudyRow.study_instance_uid) == uid,
            col(InstanceRow.origin) == InstanceOrigin.RECEIVED,
        )
    )
    return session.exec(statement.order_by(col(InstanceRow.id))).all()


def _score_scan(
    session: Session, instance: InstanceRow, model: tuple[str, str], since: datetime
) -> tuple[dict[str, Any] | None, bool]:
    """Return what is told of a scan, None where it is for no model, and whether that stands."""
    prediction = _prediction_of(session, instance, model)
    if prediction is not None:
        return _told(instance, prediction), True
    if instance.outcome == InstanceOutcome.NOT_MODEL_INPUT:
        return None, True
    subject = str(key_of(instance))
    of_scan = (col(JobRow.kind) == JobKind.ANALYSE, col(JobRow.subject) == subject)
    is_open = col(JobRow.status).in_(_OPEN)
    if session.exec(select(JobRow.id).where(*of_scan, is_open)).first() is not None:
        return None, False
    tried_at = session.exec(select(func.max(JobRow.created_at)).where(*of_scan)).one()
    if tried_at is not None and tried_at >= since:
        raise TensorsRefused("Another model scores such scans by now; give the job to that one")
    ledger.enqueue(session, JobKind.ANALYSE, subject)
    return None, False


def _prediction_of(
    session: Session, instance: InstanceRow, model: tuple[str, str]
) -> PredictionRow | None:
    name, version = model
    statement = select(PredictionRow).where(
        col(PredictionRow.instance_key) == instance.id,
        col(PredictionRow.model_name) == name,
        col(PredictionRow.model_version) == version,
        col(PredictionRow.status) != PredictionStatus.SUPERSEDED,
    )
    return session.exec(statement).first()


def _told(instance: InstanceRow, prediction: PredictionRow) -> dict[str, Any]:
    return {
        "sop_instance_uid": instance.sop_instance_uid,
        "prediction_id": prediction.id,
        "status": str(prediction.status),
        "laterality": prediction.laterality,
        "reasons": [dict(reason) for reason in prediction.reasons],
        "sensitivities": prediction.sensitivities_db,
    }
