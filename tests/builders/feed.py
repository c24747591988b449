"""Rows as receiving and scoring leave them, with the changes that tell of them.

arrive(session, source)                        an instance with its analyse job, pending
finish_scan(session, source, prediction)       its job done, the prediction recorded
"""

from datetime import datetime

from sqlmodel import Session, col, select, update

from core.changes import append_change
from core.ledger import enqueue
from core.predictions import record_prediction
from core.tables.changes import ChangeKind
from core.tables.instances import InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.prediction import Prediction
from tests.builders.archive import RECEIVED_AT, keep_instance

PATIENT = PatientIdentity("P-0001", "Clinic", "Sample^Eye")


def source_of(number: int, study: str = "2.25.101") -> InstanceIdentity:
    """Return the identity of the numbered instance of a study, each in a series of its own."""
    return InstanceIdentity(study, f"{study}.2.{number}", f"{study}.3.{number}", "ACC0001")


def arrive(
    session: Session,
    source: InstanceIdentity,
    at: datetime = RECEIVED_AT,
    *,
    is_model_input: bool = True,
    peer: str = "DEVICE1",
) -> InstanceRow:
    """Keep an instance and tell of it, with its job where it is one for a model."""
    outcome = InstanceOutcome.PENDING if is_model_input else InstanceOutcome.NOT_MODEL_INPUT
    row = keep_instance(session, PATIENT, source, outcome, at)
    row.calling_ae_title = peer
    if is_model_input:
        enqueue(session, JobKind.ANALYSE, str(row.id))
    append_change(session, ChangeKind.INSTANCE_RECEIVED, source.sop_instance_uid)
    return row


def finish_scan(session: Session, prediction: Prediction) -> None:
    """Record the prediction of an instance that arrived, and finish its job."""
    uid = prediction.source.sop_instance_uid
    row = session.exec(select(InstanceRow).where(col(InstanceRow.sop_instance_uid) == uid)).one()
    assert row.id is not None
    record_prediction(session, prediction, row.id, None)
    row.outcome = InstanceOutcome.PREDICTED
    end_job(session, row, JobStatus.DONE)


def end_job(session: Session, row: InstanceRow, status: JobStatus) -> None:
    """Let the analyse job of an instance end so."""
    its = (col(JobRow.kind) == JobKind.ANALYSE, col(JobRow.subject) == str(row.id))
    session.execute(update(JobRow).where(*its).values(status=status))
