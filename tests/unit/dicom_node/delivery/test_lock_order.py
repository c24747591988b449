"""Whoever keeps a report has the number of a change: nobody who waits for one may have its rows."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from arcuate.waiting import wait_until
from core import ledger
from core.changes import append_change
from core.database import Database
from core.ledger import LeaseLost
from core.recall import withdraw
from core.reviews import withdraw_request
from core.settings import Settings
from core.study_summaries import lock_latest
from core.tables.changes import ChangeKind
from core.tables.columns import key_of
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind
from core.tables.reports import ReportRow
from core.tables.studies import StudyRow
from core.tables.study_summaries import StudySummaryRow
from core.tables.summary_reports import SummaryReportRow
from dicom_node.delivery.reporting import ReportStep
from reports.equipment import Equipment
from reports.structured_report import StructuredReport
from tests.builders.archive import keep_prediction
from tests.builders.prediction import build_prediction
from tests.builders.received import open_test_archive
from tests.builders.recorded_scan import record_scan
from tests.fixtures.waiting_transaction import is_anybody_waiting

NOW = datetime(2026, 3, 4, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _several_writers(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("on SQLite whoever writes is alone")


def be_impatient(session: Session) -> None:
    session.execute(text("SET LOCAL lock_timeout = '500ms'"))


def test_report_that_is_withdrawn_keeps_nobody_from_the_next_number(
    settings: Settings, database: Database
) -> None:
    archive = open_test_archive(settings, database)
    record_scan(archive, database)
    with database.transaction() as session:
        claims = ledger.claim(session, JobKind.REPORT, "worker", 1, 60)
    step = ReportStep(
        database, archive.storage, Equipment("1.2.3", "node-1"), (StructuredReport(),)
    )
    ended: list[type[BaseException]] = []

    def run() -> None:
        try:
            step.run(claims)
        except LeaseLost as error:
            ended.append(type(error))

    worker = threading.Thread(target=run)
    with database.transaction() as session:
        withdraw(session, JobKind.REPORT, ["p1"])
        worker.start()
        assert wait_until(lambda: is_anybody_waiting(database), 60)
        be_impatient(session)
        append_change(session, ChangeKind.INSTANCE_REPLACED, "1.2.3")
    worker.join()

    assert ended == [LeaseLost]


def test_prediction_that_is_reviewed_can_be_reported(database: Database) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1"))
    with database.transaction() as reviewing:
        withdraw_request(reviewing, "p1")
        with database.transaction() as session:
            be_impatient(session)
            instance = session.exec(select(InstanceRow)).one()
            key = key_of(instance)
            session.add(ReportRow(prediction_id="p1", kind="sr", instance_key=key))


def test_summary_that_is_opened_again_can_be_reported(database: Database) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1"))
        study_key = key_of(session.exec(select(StudyRow)).one())
        summary = StudySummaryRow(
            study_key=study_key, version=1, opened_at=NOW, changed_at=NOW, state="settled"
        )
        session.add(summary)
        session.flush()
        summary_key = key_of(summary)
    with database.transaction() as opening:
        assert lock_latest(opening, [study_key])
        with database.transaction() as session:
            be_impatient(session)
            key = key_of(session.exec(select(InstanceRow)).one())
            session.add(SummaryReportRow(summary_key=summary_key, kind="sr", instance_key=key))
