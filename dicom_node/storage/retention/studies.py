"""The studies whose files could be removed, oldest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select

from core.tables.instances import InstanceOrigin, InstanceRow
from core.tables.reports import ReportRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow


@dataclass(frozen=True)
class StudyFiles:
    """What of a study could be removed.

    Attributes
    ----------
    last_kept_at
        When something of it last came, for the first time or again.
    size_bytes
        Length of its data sets.
    """

    study_key: int
    study_instance_uid: str
    last_kept_at: datetime
    instance_count: int
    size_bytes: int


def is_removable() -> ColumnElement[bool]:
    """Return the condition on an instance whose bytes could go: it was sent, and is no report."""
    is_report = exists().where(col(ReportRow.instance_key) == col(InstanceRow.id))
    is_received = col(InstanceRow.origin) == InstanceOrigin.RECEIVED
    return is_received & col(InstanceRow.bytes_removed_at).is_(None) & ~is_report


def studies_with_files(session: Session, until: datetime | None = None) -> Sequence[StudyFiles]:
    """Return the studies of which files are kept, the one that rests longest first.

    Parameters
    ----------
    until
        Only those of which nothing came later; None for all.
    """
    last_kept_at = func.max(func.coalesce(InstanceRow.sent_again_at, InstanceRow.received_at))
    statement = (
        select(StudyRow.id, StudyRow.study_instance_uid, last_kept_at)
        .add_columns(func.count(), func.sum(InstanceRow.size_bytes))
        .select_from(InstanceRow)
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .where(is_removable())
        .group_by(col(StudyRow.id), col(StudyRow.study_instance_uid))
        .order_by(last_kept_at, col(StudyRow.id))
    )
    if until is not None:
        statement = statement.having(last_kept_at < until)
    rows = session.execute(statement).all()
    return [StudyFiles(key, uid, at, count, int(size)) for key, uid, at, count, size in rows]


def kept_bytes(session: Session) -> int:
    """Return the size of everything the archive keeps, reports included."""
    statement = select(func.sum(InstanceRow.size_bytes))
    total = session.exec(statement.where(col(InstanceRow.bytes_removed_at).is_(None))).one()
    return int(total or 0)
