"""Figures that are kept in memory, and which of them are read anew."""

from datetime import UTC, datetime

from core.changes import append_change
from core.database import Database
from core.monthly_figures import read_figures
from core.monthly_memory import MonthlyMemory
from core.predictions import record_prediction
from core.tables.changes import ChangeKind
from core.tables.predictions import PredictionRow
from core.values.prediction import PredictionStatus
from tests.builders.visits import build_visit, keep_visit

_MONTHS = ("2025-12", "2026-01", "2026-02")


def _at(month: int) -> datetime:
    return datetime(2026, month, 10, 9, tzinfo=UTC)


def _told(memory: MonthlyMemory) -> list[tuple[str, int, int]]:
    return [(one.month, one.results, one.failed) for one in memory.read(_MONTHS)]


def test_only_months_in_which_something_changed_are_read_anew(database: Database) -> None:
    memory = MonthlyMemory(database)
    with database.transaction() as session:
        keep_visit(session, "a", _at(1), -1.0)
        keep_visit(session, "b", _at(2), -1.0)
    assert _told(memory) == [("2026-01", 1, 0), ("2026-02", 1, 0)]
    with database.transaction() as session:
        # The feed says nothing of this one, so January is not looked at.
        session.get_one(PredictionRow, "a").status = PredictionStatus.SUPERSEDED
        keep_visit(session, "c", _at(2), -1.0)

    assert _told(memory) == [("2026-01", 1, 0), ("2026-02", 2, 0)]

    with database.transaction() as session:
        append_change(
            session,
            ChangeKind.INSTANCE_REPLACED,
            build_visit("a", _at(1), -1.0).source.sop_instance_uid,
        )
    with database.reading() as session:
        assert memory.read(_MONTHS) == read_figures(session, _MONTHS)
    assert _told(memory) == [("2026-02", 2, 0)]


def test_month_of_what_was_replaced_is_read_anew_too(database: Database) -> None:
    memory = MonthlyMemory(database)
    failed = {"status": PredictionStatus.FAILED, "acquired_at": None, "predicted_at": _at(1)}
    with database.transaction() as session:
        keep_visit(session, "a", _at(1), None, **failed)
    assert _told(memory) == [("2026-01", 1, 1)]
    with database.transaction() as session:
        key = session.get_one(PredictionRow, "a").instance_key
        record_prediction(session, build_visit("again", _at(2), -1.0), key, None)

    assert _told(memory) == [("2026-02", 1, 0)]
