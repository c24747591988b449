import threading
from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from core.database import Database
from core.deliveries.letting_go import let_withheld_go
from core.deliveries.planning import plan_deliveries
from core.deliveries.waiting import take_waiting
from core.reviews import record_review
from core.tables.columns import key_of
from core.tables.deliveries import DeliveryRow
from core.tables.destinations import DestinationRow
from core.tables.reports import ReportRow
from core.tables.studies import StudyRow
from core.tables.study_summaries import StudySummaryRow
from core.tables.summary_reports import SummaryReportRow
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.review import Amendment, ReviewDecision, ReviewDraft
from tests.builders.archive import keep_instance, keep_prediction
from tests.builders.planned_delivery import FACTS, destination
from tests.builders.prediction import build_prediction
from tests.builders.review import REVIEWED_AT

KINDS = ("sr", "sc", "pdf")
REJECTED = ReviewDraft(ReviewDecision.REJECT, "dr-ito", "Drusen.")
NOT_ASSESSABLE = ReviewDraft(ReviewDecision.AMEND, "dr-ito", amendment=Amendment(assessable=False))
ACCEPTED = ReviewDraft(ReviewDecision.ACCEPT, "dr-ito")


def plan_report(session: Session, uid: str, kind: str) -> int:
    """Keep a report and plan where it goes; return its key."""
    identity = InstanceIdentity("1.2", f"{uid}.0", uid)
    instance = keep_instance(session, PatientIdentity("P1"), identity)
    plan_deliveries(session, instance, kind, [FACTS])
    return key_of(instance)


@pytest.fixture
def planned(database: Database) -> None:
    """Reports of a result and of both eyes, all of which wait for a destination."""
    destination(database)
    scan = InstanceIdentity("1.2", "1.2.1", "1.2.1.1")
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1", source=scan))
        summary = StudySummaryRow(
            study_key=key_of(session.exec(select(StudyRow)).one()),
            version=1,
            opened_at=REVIEWED_AT,
            changed_at=REVIEWED_AT,
            state="settled",
        )
        session.add(summary)
        session.flush()
        for number, kind in enumerate(KINDS):
            key = plan_report(session, f"1.2.3.{number}", kind)
            session.add(ReportRow(prediction_id="p1", kind=kind, instance_key=key))
            key = plan_report(session, f"1.2.4.{number}", kind)
            session.add(SummaryReportRow(summary_key=key_of(summary), kind=kind, instance_key=key))


@pytest.mark.usefixtures("planned")
@pytest.mark.parametrize(
    ("decision", "waiting"),
    [
        (REJECTED, ["sr", "sr"]),
        (NOT_ASSESSABLE, ["sr", "sr"]),
        (ACCEPTED, ["sr", "sr", "sc", "sc", "pdf", "pdf"]),
    ],
    ids=["rejected", "not assessable", "accepted"],
)
def test_pictures_and_pages_of_what_nobody_must_use_go_nowhere(
    database: Database, decision: ReviewDraft, waiting: list[str]
) -> None:
    with database.transaction() as session:
        record_review(session, "p1", decision, REVIEWED_AT + timedelta(days=1))

    statement = select(DeliveryRow).order_by(col(DeliveryRow.id))
    with database.reading() as session:
        rows = session.exec(statement).all()
    assert [row.report_kind for row in rows if row.state == "waiting"] == waiting
    assert all(row.dismissed_at is not None for row in rows if row.state == "gave_up")


@pytest.mark.usefixtures("planned")
def test_page_that_says_the_decision_already_is_sent(database: Database) -> None:
    with database.transaction() as session:
        [summary] = session.exec(select(StudySummaryRow)).all()
        told = {"prediction_id": "p1", "is_withheld": True}
        summary.eyes = [{"laterality": "R", "current": "p1", "results": [told]}]

    with database.transaction() as session:
        record_review(session, "p1", REJECTED, REVIEWED_AT + timedelta(days=1))

    with database.reading() as session:
        rows = session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).all()
    assert [row.report_kind for row in rows if row.state == "waiting"] == ["sr", "sr", "sc", "pdf"]


@pytest.mark.usefixtures("planned")
def test_what_is_let_go_at_the_same_moment_is_not_taken(database: Database) -> None:
    taken: list[str] = []

    def take() -> None:
        with database.transaction() as session:
            [pacs] = session.exec(select(DestinationRow)).all()
            taken.extend(row.report_kind for row in take_waiting(session, pacs, 20))

    with database.transaction() as session:
        let_withheld_go(session, "p1", REVIEWED_AT)
        # SQLite lets it begin when this has ended, PostgreSQL at once.
        taking = threading.Thread(target=take)
        taking.start()
        taking.join(1.0)
    taking.join()

    assert taken == ["sr", "sr"]
