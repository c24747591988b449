"""Totals of metrics: kept in the database, brought up to the change feed by whoever is asked."""

import json
from collections.abc import Mapping
from typing import Final

from sqlalchemy import text
from sqlmodel import Session, col, select

from core.changes import changes_after, last_change
from core.database import Database
from core.metrics.counting import Additions, Series, additions_of
from core.tables.feed_positions import FeedPositionRow
from core.tables.metric_totals import MetricTotalRow

READER: Final = "metrics"
#: Changes counted in one transaction, and transactions at one asking: bounds how long both take.
_BATCH: Final = 500
_BATCHES: Final = 6
_GROW: Final = text(
    "INSERT INTO metric_totals (name, labels, value) VALUES (:name, :labels, :value) "
    "ON CONFLICT (name, labels) DO UPDATE SET value = metric_totals.value + excluded.value"
)


def count_changes(database: Database) -> None:
    """Count what happened since somebody last counted, or a good part of it.

    Raises
    ------
    DatabaseAway
        If the database does not answer.
    """
    for _ in range(_BATCHES):
        if not is_behind(database) or not _count_batch(database):
            return


def is_behind(database: Database) -> bool:
    """Whether anything happened that is not counted; costs no lock."""
    with database.reading() as session:
        return behind(session) > 0


def behind(session: Session) -> int:
    """Return how many changes are not counted."""
    return last_change(session) - session.get_one(FeedPositionRow, READER).number


def read_totals(session: Session) -> Mapping[Series, float]:
    """Return every series with its value."""
    rows = session.exec(select(MetricTotalRow).order_by(col(MetricTotalRow.labels))).all()
    return {(row.name, tuple(json.loads(row.labels))): row.value for row in rows}


def _count_batch(database: Database) -> bool:
    """Count one batch; whether there may be another."""
    with database.transaction() as session:
        # One counts at a time, and nothing is counted twice.
        position = session.get_one(FeedPositionRow, READER, with_for_update=True)
        changes = changes_after(session, position.number, _BATCH)
        if changes:
            _grow(session, additions_of(session, changes))
            position.number = changes[-1].number
    return len(changes) == _BATCH


def _grow(session: Session, added: Additions) -> None:
    rows = [
        {"name": name, "labels": json.dumps(labels, ensure_ascii=False), "value": value}
        for (name, labels), value in sorted(added.items())
    ]
    if rows:
        session.execute(_GROW, rows)
