"""The figures of each month, kept in memory: only months in which something changed are read anew.

What changed says the change feed, so that what is told is as fresh as the record.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Select, or_, select
from sqlmodel import Session, col

from core.changes import last_change
from core.database import Database
from core.monthly_figures import MonthFigures, month_of, read_figures
from core.tables.changes import ChangeKind, ChangeRow
from core.tables.instances import InstanceRow
from core.tables.predictions import PredictionRow

#: After more changes than these nearly every month is another anyway.
_MOST_CHANGES: Final = 500


@dataclass(eq=False)
class MonthlyMemory:
    """The figures of the months that were asked for, by one process."""

    database: Database
    _position: int = 0
    _months: dict[str, list[MonthFigures]] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def read(self, months: Sequence[str]) -> list[MonthFigures]:
        """Return the figures of these months, by month, device and model.

        Raises
        ------
        DatabaseAway
            If the database does not answer.
        """
        # One reads at a time: the next finds what it read.
        with self._turn, self.database.reading() as session:
            self._forget_changed(session)
            known = {month: self._months.get(month) for month in months}
            self._months = {
                month: read_figures(session, [month]) if figures is None else figures
                for month, figures in known.items()
            }
            return [one for month in months for one in self._months[month]]

    def _forget_changed(self, session: Session) -> None:
        # Before anything is read: what changes meanwhile is read once more.
        position = last_change(session)
        changes = _changes(session, self._position) if self._months else []
        if len(changes) > _MOST_CHANGES:
            self._months = {}
        elif changes:
            for month in _months_of(session, changes):
                self._months.pop(month, None)
        self._position = position


def _changes(session: Session, after: int) -> list[tuple[str, str]]:
    kinds = (ChangeKind.PREDICTION_RECORDED, ChangeKind.INSTANCE_REPLACED)
    statement = (
        select(col(ChangeRow.kind), col(ChangeRow.subject))
        .where(col(ChangeRow.number) > after, col(ChangeRow.kind).in_(kinds))
        .limit(_MOST_CHANGES + 1)
    )
    return [(kind, subject) for kind, subject in session.execute(statement).all()]


def _months_of(session: Session, changes: Sequence[tuple[str, str]]) -> set[str]:
    """Return the months of every result of the scans that changes are of, replaced ones too."""
    of_scans = col(PredictionRow.instance_key).in_(
        select(col(InstanceRow.id)).where(
            or_(
                col(InstanceRow.id).in_(_scored(_subjects(changes, "prediction_recorded"))),
                col(InstanceRow.sop_instance_uid).in_(_subjects(changes, "instance_replaced")),
            )
        )
    )
    moments = select(col(PredictionRow.acquired_at), col(PredictionRow.predicted_at))
    found = session.execute(moments.where(of_scans)).all()
    return {month_of(acquired or predicted) for acquired, predicted in found}


def _subjects(changes: Iterable[tuple[str, str]], kind: str) -> list[str]:
    return [subject for one, subject in changes if one == kind]


def _scored(prediction_ids: Sequence[str]) -> Select[int]:
    scans = select(col(PredictionRow.instance_key))
    return scans.where(col(PredictionRow.id).in_(prediction_ids))
