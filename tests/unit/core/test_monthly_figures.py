from datetime import UTC, datetime

import pytest

from core.database import Database
from core.monthly_figures import MonthFigures, figures_statement, months_until, read_figures
from core.tables.predictions import PredictionRow
from core.values.prediction import ModelIdentity, PredictionStatus
from core.values.scan import Device
from tests.builders.visits import keep_visit
from tests.fixtures.query_plan import plan_of, reads_a_table_whole

_MONTHS = ("2025-12", "2026-01", "2026-02")


def _at(month: int, day: int = 10, year: int = 2026) -> datetime:
    return datetime(year, month, day, 9, tzinfo=UTC)


def test_months_end_with_the_present_one_and_cross_the_year() -> None:
    assert months_until(_at(2, 28), 3) == _MONTHS
    assert months_until(_at(12), 1) == ("2026-12",)
    assert months_until(_at(3))[0] == "2025-03"


def test_figures_of_a_month_are_those_of_its_scans(database: Database) -> None:
    refused = {"status": PredictionStatus.NOT_ASSESSABLE}
    with database.transaction() as session:
        keep_visit(session, "a", _at(1), -1.0, quality_score=0.8)
        keep_visit(session, "b", _at(1, 31), -4.0, quality_score=0.6)
        keep_visit(session, "c", _at(1), None, **refused, quality_score=0.1)
        # Not even read: it has no quality, not a bad one.
        keep_visit(session, "d", _at(1), None, **refused, quality_score=0.0, thickness_um=None)
        keep_visit(session, "e", _at(1), None, status=PredictionStatus.FAILED, quality_score=0.0)
        session.get_one(PredictionRow, "e").rnfl_mean_um = None
        session.get_one(PredictionRow, "c").rnfl_mean_um = 40.0
        session.get_one(PredictionRow, "a").rnfl_mean_um = 90.0
        session.get_one(PredictionRow, "b").rnfl_mean_um = 80.0
        keep_visit(session, "replaced", _at(1), -20.0)
        session.get_one(PredictionRow, "replaced").status = PredictionStatus.SUPERSEDED
        keep_visit(session, "before", _at(11, 30, 2025), -20.0)
        keep_visit(session, "after", _at(3, 1), -20.0)

    with database.reading() as session:
        [found] = read_figures(session, _MONTHS)

    assert found == MonthFigures(
        month="2026-01",
        device=Device("Maker", "Scanner", "SN-1"),
        model="retinervenet 1.0.0",
        results=5,
        final=2,
        not_assessable=2,
        failed=1,
        quality_mean=pytest.approx(0.5),
        rnfl_mean_um=pytest.approx(70.0),
        mean_deviation_db=pytest.approx(-2.5),
    )
    assert found.gradable_share == 0.5


def test_devices_models_and_months_are_told_apart(database: Database) -> None:
    other_model = ModelIdentity("retinervenet", "2.0.0", "sha256:bb")
    with database.transaction() as session:
        keep_visit(session, "a", _at(1), -1.0)
        keep_visit(session, "b", _at(2), -1.0)
        keep_visit(session, "c", _at(2), -1.0, device=Device("Maker", "Scanner", "SN-2"))
        keep_visit(session, "d", _at(2), -1.0, model=other_model)

    with database.reading() as session:
        found = read_figures(session, _MONTHS)

    assert [(f.month, f.device.serial_number, f.model, f.results) for f in found] == [
        ("2026-01", "SN-1", "retinervenet 1.0.0", 1),
        ("2026-02", "SN-1", "retinervenet 1.0.0", 1),
        ("2026-02", "SN-1", "retinervenet 2.0.0", 1),
        ("2026-02", "SN-2", "retinervenet 1.0.0", 1),
    ]


def test_scan_without_a_time_belongs_to_the_month_it_was_scored_in(database: Database) -> None:
    with database.transaction() as session:
        for name, scored in (("a", _at(2)), ("b", _at(7))):
            keep_visit(
                session,
                name,
                _at(1),
                -1.0,
                acquired_at=None,
                predicted_at=scored,
                received_at=scored,
            )

    with database.reading() as session:
        found = read_figures(session, _MONTHS)

    assert [(f.month, f.results) for f in found] == [("2026-02", 1)]


def test_no_row_is_read_for_them(database: Database) -> None:
    plan = plan_of(database, figures_statement(_MONTHS, database.engine.dialect.name))

    assert "ix_predictions_months" in plan
    if database.is_sqlite:
        assert plan.count("USING COVERING INDEX ix_predictions_months") == 2
        # What is grouped are the two parts, already read.
        plan = plan.replace("SCAN anon_1", "")
    assert not reads_a_table_whole(plan), plan
