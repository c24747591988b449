"""How jobs are claimed while 100,000 wait: by an index, without reading all of them."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import text
from sqlmodel import Session

from core.claimable import (
    first_abandoned,
    first_waiting,
    highest_priority,
    lock_claimable,
    whether_any,
)
from core.database import Database, database_seconds
from core.tables.jobs import JobKind

_JOBS: Final = 100_000
_LIMIT: Final = 16
#: What a statement may look at: the jobs it takes, and the few that are in hands.
_FEW: Final = 2 * _LIMIT
#: Most wait, with three priorities; a worker died with the first three, what follows is done.
_FILL: Final = """
INSERT INTO jobs (kind, subject, status, priority, attempts, available_at, lease_until, created_at)
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :jobs)
SELECT 'analyse', CAST(n AS VARCHAR),
    CASE WHEN n <= 3 THEN 'running' WHEN n <= 40000 THEN 'done' ELSE 'queued' END,
    CASE WHEN n % 50000 = 0 THEN 5 ELSE n % 2 END, 0, 0, 0, '2026-01-01 00:00:00' FROM numbers
"""


def test_soonest_are_claimed_without_looking_at_all_that_wait(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text(_FILL), {"jobs": _JOBS})
        session.execute(text("ANALYZE jobs"))

    with database.transaction() as session:
        now = database_seconds(session)
        found = lock_claimable(session, JobKind.ANALYSE, now, 5)
        none = lock_claimable(session, JobKind.REPORT, now, 5)
        looks = [_look(session, statement) for statement in _statements(now)]

    assert [job.id for job in found] == [50_000, 100_000, 1, 3, 40_001]
    assert none == []
    assert {index for index, _ in looks} == {"ix_jobs_claim"}
    assert max(rows for _, rows in looks) < _FEW


def _statements(now: float) -> list[Any]:
    kind = JobKind.ANALYSE
    return [
        highest_priority(kind, now),
        highest_priority(kind, now, below=5),
        first_waiting(kind, now, 1, _LIMIT),
        first_abandoned(kind, now, _LIMIT),
        whether_any(kind, now),
    ]


def _look(session: Session, statement: Any) -> tuple[str, float]:
    """Return the index a statement walks, and how many rows it looks at; SQLite tells no number."""
    bind = session.get_bind()
    sql = statement.compile(bind, compile_kwargs={"literal_binds": True})
    connection = session.connection()
    if bind.dialect.name == "sqlite":
        plan = " ".join(
            str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")
        )
        (index,) = set(re.findall(r"INDEX (\w+)", plan))
        return index, 0
    told = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}").scalar_one()
    steps = list(_steps((json.loads(told) if isinstance(told, str) else told)[0]["Plan"]))
    (index,) = {step["Index Name"] for step in steps if "Index Name" in step}
    return index, max(step["Actual Rows"] + step.get("Rows Removed by Filter", 0) for step in steps)


def _steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _steps(below)
