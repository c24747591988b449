"""How analyses end in the record: several in one transaction, which waits for the disk once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from core import ledger
from core.database import Database
from core.errors import InfrastructureError, NodeError
from core.ledger import Claim, LeaseLost
from core.logs import get_logger
from core.predictions import record_prediction
from core.tables.instances import InstanceOutcome
from core.tables.jobs import JobKind
from core.values.prediction import Prediction
from inference.preview import NO_PICTURES, KeptPictures
from inference.subject import Subject

_log = get_logger(__name__)

#: Conclusions in one transaction: it keeps receivers from the record for milliseconds with each.
RECORDED_TOGETHER: Final = 8


@dataclass(frozen=True)
class Conclusion:
    """How the analysis of one claimed job ends.

    Attributes
    ----------
    prediction
        None where the instance is for no model that scores; `message` then says why.
    """

    claimed: Claim
    subject: Subject
    prediction: Prediction | None
    pictures: KeptPictures = NO_PICTURES
    message: str = ""

    @property
    def outcome(self) -> InstanceOutcome:
        """What is written into the instance's row."""
        made = self.prediction is not None
        return InstanceOutcome.PREDICTED if made else InstanceOutcome.NOT_MODEL_INPUT


def record(database: Database, conclusions: Sequence[Conclusion]) -> dict[int, str | None]:
    """Record conclusions and finish their jobs.

    A job whose lease was lost records nothing and takes none with it: another worker has it, or
    other content took the place of its instance and it begins anew.

    Returns
    -------
    dict
        By the id of each job that is done now, the id of its prediction; None where it made none.

    Raises
    ------
    RecordNotFound
        If an instance is not kept any more.
    InfrastructureError
        If the database is away.
    """
    recorded: dict[int, str | None] = {}
    for group in _batched(conclusions):
        try:
            recorded |= _record(database, group)
        except InfrastructureError:
            raise
        except (NodeError, SQLAlchemyError) as error:
            _log.info("group_not_recorded", jobs=len(group), error=type(error).__name__)
            recorded |= _record_one_by_one(database, group)
    return recorded


def record_failure(session: Session, subject: Subject, failed: Prediction) -> None:
    """Record in the caller's transaction that an analysis broke in every attempt."""
    subject.set_outcome(session, InstanceOutcome.PREDICTED)
    session.flush()
    _record_prediction(session, failed, subject, NO_PICTURES)


def _record_one_by_one(database: Database, group: Sequence[Conclusion]) -> dict[int, str | None]:
    recorded: dict[int, str | None] = {}
    for one in group:
        try:
            recorded |= _record(database, [one])
        except LeaseLost:
            _log.info("analysis_overtaken", job=one.claimed.job_id)
    return recorded


def _record(database: Database, group: Sequence[Conclusion]) -> dict[int, str | None]:
    recorded: dict[int, str | None] = {}
    with database.transaction() as session:
        # Before the first prediction, which takes the next number of a change: whoever stores an
        # instance again has its row first and then waits for a number.
        for one in group:
            one.subject.set_outcome(session, one.outcome, one.message)
        session.flush()
        for one in group:
            recorded[one.claimed.job_id] = _record_one(session, one)
            ledger.finish(session, one.claimed)
    return recorded


def _record_one(session: Session, one: Conclusion) -> str | None:
    if one.prediction is None:
        return None
    return _record_prediction(session, one.prediction, one.subject, one.pictures)


def _record_prediction(
    session: Session, prediction: Prediction, subject: Subject, pictures: KeptPictures
) -> str:
    recorded = record_prediction(
        session, prediction, subject.instance_key, pictures.scan_key, pictures.fundus_key
    )
    # An answer that stood already got the job of its reports with its own record.
    if recorded == prediction.prediction_id:
        ledger.enqueue(session, JobKind.REPORT, recorded)
    return recorded


def _batched(conclusions: Sequence[Conclusion]) -> Iterator[Sequence[Conclusion]]:
    starts = range(0, len(conclusions), RECORDED_TOGETHER)
    return (conclusions[start : start + RECORDED_TOGETHER] for start in starts)
