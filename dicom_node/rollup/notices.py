"""Procedure steps that ended and notifications that came: the study they name is complete."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, select

from core.study_summaries import bring_forward, kept_of, lock_latest
from core.tables.studies import StudyRow
from core.tables.study_notices import NoticeKind, NoticeState, StudyNoticeRow
from core.tables.study_summaries import SettleCause, StudySummaryRow, SummaryState
from dicom_node.rollup.ends import GRACE

#: Studies locked in a turn.
_MOST_NOTICES: Final = 100
_CAUSES: Final = {
    NoticeKind.PROCEDURE_STEP: SettleCause.PROCEDURE_STEP,
    NoticeKind.INSTANCE_AVAILABILITY: SettleCause.INSTANCE_AVAILABILITY,
}


def has_notices(session: Session) -> bool:
    """Whether a notice waits of a study that is open: asked first, because it locks nothing."""
    return session.execute(_waiting().limit(1)).first() is not None


def note_notices(session: Session, now: datetime) -> None:
    """Let the open studies be settled at once of which all that a notice names is here."""
    complete = _complete(session)
    latest = lock_latest(session, sorted({study_key for _, study_key in complete}))
    for notice, study_key in complete:
        row = latest.get(study_key)
        if row is not None:
            # One that names nothing cannot tell whether all is here.
            due_at = now if notice.instances else now + GRACE
            bring_forward(row, _CAUSES[NoticeKind(notice.kind)], due_at)
            notice.taken_at = now


def _waiting() -> Any:
    return (
        select(StudyNoticeRow, StudyRow.id)
        .join(StudyRow, col(StudyRow.study_instance_uid) == col(StudyNoticeRow.study_instance_uid))
        .join(StudySummaryRow, col(StudySummaryRow.study_key) == col(StudyRow.id))
        .where(col(StudyNoticeRow.taken_at).is_(None))
        .where(col(StudyNoticeRow.state) != NoticeState.IN_PROGRESS)
        .where(col(StudySummaryRow.state) == SummaryState.OPEN)
    )


def _complete(session: Session) -> Sequence[tuple[StudyNoticeRow, int]]:
    # All that wait are looked at: they are of open studies only, and one that waits for an object
    # that never comes must not stand before those that wait for nothing.
    waiting = [(notice, key) for notice, key in session.execute(_waiting()).all()]
    kept = kept_of(session, {uid for notice, _ in waiting for uid in notice.instances})
    return [pair for pair in waiting if kept.issuperset(pair[0].instances)][:_MOST_NOTICES]
