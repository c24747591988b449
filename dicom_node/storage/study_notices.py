"""What peers say of studies beside their objects, recorded as it comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, delete, select

from core.tables.study_notices import NoticeKind, NoticeState, StudyNoticeRow
from dicom_node.errors import NoticeFinal, NoticeKnown, NoticeUnknown

#: A notice is kept for so long, whether or not its study ever came.
_KEPT_FOR: Final = timedelta(days=30)


@dataclass(frozen=True)
class Notice:
    """What one MPPS or IAN instance says.

    Attributes
    ----------
    studies
        Which studies it is about.
    instances
        SOP Instance UIDs it names.
    """

    sop_instance_uid: str
    kind: NoticeKind
    state: NoticeState
    studies: tuple[str, ...]
    instances: tuple[str, ...]
    calling_ae_title: str


def add_notice(session: Session, notice: Notice, received_at: datetime) -> None:
    """Record a notice in the caller's transaction, and forget those nobody needs any more.

    Raises
    ------
    NoticeKnown
        If there is one under its UID.
    """
    if _rows_of(session, notice.sop_instance_uid):
        raise NoticeKnown
    old = col(StudyNoticeRow.received_at) < received_at - _KEPT_FOR
    session.execute(delete(StudyNoticeRow).where(old))
    for study_uid in dict.fromkeys(notice.studies):
        session.add(
            StudyNoticeRow(
                sop_instance_uid=notice.sop_instance_uid,
                study_instance_uid=study_uid,
                kind=notice.kind,
                state=notice.state,
                instances=list(notice.instances),
                calling_ae_title=notice.calling_ae_title,
                received_at=received_at,
            )
        )
    session.flush()


def change_step(
    session: Session,
    sop_instance_uid: str,
    calling_ae_title: str,
    state: NoticeState | None,
    instances: Sequence[str],
    changed_at: datetime,
) -> None:
    """Record how far a procedure step is; None leaves its state, no instances leave those.

    Raises
    ------
    NoticeUnknown
        If this peer has told of no such procedure step.
    NoticeFinal
        If it ended before.
    """
    rows = [
        row
        for row in _rows_of(session, sop_instance_uid)
        if row.kind == NoticeKind.PROCEDURE_STEP and row.calling_ae_title == calling_ae_title
    ]
    if not rows:
        raise NoticeUnknown
    for row in rows:
        if row.state != NoticeState.IN_PROGRESS:
            raise NoticeFinal
        row.state = state or row.state
        row.instances = list(instances) or row.instances
        row.received_at = changed_at


def _rows_of(session: Session, sop_instance_uid: str) -> Sequence[StudyNoticeRow]:
    statement = select(StudyNoticeRow).where(
        col(StudyNoticeRow.sop_instance_uid) == sop_instance_uid
    )
    return session.exec(statement.with_for_update()).all()
