"""Associations that ended: what they brought is complete, as far as their peer knows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, delete, select

from core.study_summaries import bring_forward, lock_latest
from core.tables.associations import EndedAssociationRow
from core.tables.columns import key_of
from core.tables.instances import InstanceRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.tables.study_notices import NoticeState, StudyNoticeRow
from core.tables.study_summaries import SettleCause

#: Devices that open an association for each object send the next one within this time.
GRACE: Final = timedelta(seconds=5)
#: Ends taken note of at a time.
BATCH_SIZE: Final = 200


def read_ends(session: Session) -> Sequence[EndedAssociationRow]:
    """Return the ends nobody took note of yet, the oldest first."""
    statement = select(EndedAssociationRow).order_by(col(EndedAssociationRow.id)).limit(BATCH_SIZE)
    return session.exec(statement).all()


def take_ends(session: Session, keys: Sequence[int]) -> list[EndedAssociationRow]:
    """Return those of these ends nobody took meanwhile, and delete them in this transaction."""
    statement = (
        select(EndedAssociationRow)
        .where(col(EndedAssociationRow.id).in_(keys))
        .order_by(col(EndedAssociationRow.id))
        .with_for_update(skip_locked=True)
    )
    rows = list(session.exec(statement).all())
    taken = [key_of(row) for row in rows]
    for row in rows:
        session.expunge(row)
    session.execute(delete(EndedAssociationRow).where(col(EndedAssociationRow.id).in_(taken)))
    return rows


def note_ends(session: Session, ends: Sequence[EndedAssociationRow], quiet: timedelta) -> None:
    """Let the studies that ended associations brought be settled soon.

    Not where a device says that its procedure step still goes on: it opens associations as it
    scans, and says itself when it is done.
    """
    due: dict[int, datetime] = {}
    for end in ends:
        for study_key in _studies_of(session, end):
            due[study_key] = max(due.get(study_key, end.ended_at), end.ended_at)
    latest = lock_latest(session, sorted(due))
    for study_key in set(due) - _in_progress(session, list(due)):
        row = latest.get(study_key)
        if row is not None and row.changed_at <= due[study_key]:
            bring_forward(row, SettleCause.ASSOCIATION_END, due[study_key] + min(GRACE, quiet))


def _studies_of(session: Session, end: EndedAssociationRow) -> Sequence[int]:
    statement = (
        select(SeriesRow.study_key)
        .join(InstanceRow, col(InstanceRow.series_key) == col(SeriesRow.id))
        .where(col(InstanceRow.received_at).between(end.began_at, end.ended_at))
        .where(col(InstanceRow.calling_ae_title) == end.calling_ae_title)
        .distinct()
    )
    return session.exec(statement).all()


def _in_progress(session: Session, study_keys: Sequence[int]) -> set[int]:
    """Return the studies for which a procedure step goes on."""
    statement = (
        select(StudyRow.id)
        .join(
            StudyNoticeRow,
            col(StudyNoticeRow.study_instance_uid) == col(StudyRow.study_instance_uid),
        )
        .where(col(StudyRow.id).in_(study_keys))
        .where(col(StudyNoticeRow.state) == NoticeState.IN_PROGRESS)
    )
    return {key for key in session.exec(statement).all() if key is not None}
