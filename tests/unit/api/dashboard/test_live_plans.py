"""How SQLite finds the scans of the list: an index has them in order, whatever is asked for.

Without an order from an index every page would sort every result there is.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event

from api.cursors import encode_cursor
from api.dashboard.live_filter import LiveFilter, Shown
from api.dashboard.live_results import results_page
from api.dashboard.live_waiting import count_failed, count_waiting, waiting_scans
from core.database import Database
from core.values.laterality import Laterality

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Plans:
    """Runs a query and tells how SQLite goes about each of its statements."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements: list[tuple[str, Any]] = []
        event.listen(database.engine, "before_cursor_execute", self._note)

    def _note(
        self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> None:
        if statement.startswith("SELECT"):
            self._statements.append((statement, parameters))

    def of(self, query: Callable[..., object], *arguments: Any) -> list[str]:
        self._statements.clear()
        with self._database.reading() as session:
            query(session, *arguments)
        with self._database.engine.connect() as connection:
            return [
                step[3]
                for statement, parameters in list(self._statements)
                for step in connection.exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {statement}", parameters
                )
            ]


@pytest.fixture
def plans(database: Database) -> Plans:
    return Plans(database)


_SORTS_ALL = "USE TEMP B-TREE FOR ORDER BY"
_IN_ORDER = "SCAN predictions USING INDEX uq_predictions_answer"
_BY_STATUS = "SEARCH predictions USING INDEX ix_predictions_status_arrival (status=?)"
_BY_DEVICE = (
    "SEARCH predictions USING INDEX ix_predictions_device_arrival (manufacturer_model_name=?)"
)
_CURSOR = encode_cursor("live", "5000", "sha256:ab")
_FROM_CURSOR = (
    "SEARCH predictions USING INDEX uq_predictions_answer ((instance_key,model_digest)<(?,?))"
)
_BY_STATUS_FROM_CURSOR = (
    "SEARCH predictions USING INDEX ix_predictions_status_arrival (status=? AND instance_key<?)"
)


@pytest.mark.parametrize(
    ("wanted", "first"),
    [
        (LiveFilter(), _IN_ORDER),
        (LiveFilter(eye=Laterality.LEFT), _IN_ORDER),
        (LiveFilter(state=Shown.FINAL), _BY_STATUS),
        (LiveFilter(state=Shown.FAILED), _BY_STATUS),
        (LiveFilter(state=Shown.SCAN_AGAIN), _BY_STATUS),
        (LiveFilter(device="Maker\\Model"), _BY_DEVICE),
        (LiveFilter(cursor=_CURSOR), _FROM_CURSOR),
        (LiveFilter(eye=Laterality.LEFT, cursor=_CURSOR), _FROM_CURSOR),
        (LiveFilter(state=Shown.FAILED, cursor=_CURSOR), _BY_STATUS_FROM_CURSOR),
    ],
)
def test_results_come_in_order_from_an_index(plans: Plans, wanted: LiveFilter, first: str) -> None:
    plan = plans.of(results_page, wanted, None)

    assert plan[0] == first
    assert _SORTS_ALL not in plan
    assert _scans(plan[1:]) == []


def test_days_are_found_by_when_scans_came(plans: Plans) -> None:
    wanted = LiveFilter(since=date(2026, 3, 4), until=date(2026, 3, 4))

    bounds, (first, *others) = _split(plans.of(results_page, wanted, None), 2)

    received = "SEARCH instances USING COVERING INDEX ix_instances_received_at (received_at<?)"
    assert bounds == [received, received]
    assert first == (
        "SEARCH predictions USING INDEX uq_predictions_answer (instance_key>? AND instance_key<?)"
    )
    assert _SORTS_ALL not in others


def test_patients_lead_to_their_few_scans(plans: Plans) -> None:
    plan = plans.of(results_page, LiveFilter(), [1, 2])

    assert "SEARCH studies USING COVERING INDEX ix_studies_patient_key (patient_key=?)" in plan
    (by_instance,) = (step for step in plan if step.startswith("SEARCH predictions USING INDEX"))
    assert by_instance.endswith("(instance_key=?)")
    assert _scans(plan) == []


def test_requests_lead_to_the_scans_to_review(plans: Plans) -> None:
    first, *others = plans.of(results_page, LiveFilter(state=Shown.TO_REVIEW), None)

    assert first == "SEARCH predictions USING INDEX sqlite_autoindex_predictions_1 (id=?)"
    assert _scans(others) == []


def test_what_waits_and_what_failed_is_counted_in_the_index_alone(plans: Plans) -> None:
    by_index = "SEARCH jobs USING COVERING INDEX ix_jobs_claim"

    assert plans.of(count_waiting) == [f"{by_index} (status=? AND kind=?)"]
    assert plans.of(count_failed) == [f"{by_index} (status=?)"]


def test_newest_that_wait_come_in_order_from_the_index_of_jobs(plans: Plans) -> None:
    plan = plans.of(waiting_scans, LiveFilter(), None)

    # Only the few of the inner query are read one by one, and sorted.
    assert plan[:3] == [
        "CO-ROUTINE anon_1",
        "SEARCH jobs USING INDEX ix_jobs_claim (status=? AND kind=?)",
        "SCAN anon_1",
    ]
    assert _scans(plan) == ["SCAN anon_1", "SCAN anon_1"]


def _scans(plan: Sequence[str]) -> list[str]:
    return [step for step in plan if step.startswith("SCAN ")]


def _split(plan: list[str], at: int) -> tuple[list[str], list[str]]:
    return plan[:at], plan[at:]
