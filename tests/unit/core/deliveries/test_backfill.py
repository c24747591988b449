from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from core.database import Database
from core.deliveries import backfill
from core.deliveries.backfill import plan_earlier
from core.reviews import record_review
from core.tables.columns import key_of
from core.tables.deliveries import DeliveryRow
from core.tables.instances import InstanceRow
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.tables.studies import StudyRow
from core.tables.study_summaries import StudySummaryRow, SummaryState
from core.tables.summary_reports import SummaryReportRow
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.review import ReviewDecision, ReviewDraft
from tests.builders.archive import keep_instance, keep_prediction
from tests.builders.planned_delivery import destination
from tests.builders.prediction import build_prediction
from tests.builders.review import REVIEWED_AT


def keep_reported(database: Database, number: int, laterality: Laterality) -> PredictionRow:
    """Keep a prediction with a report of it."""
    stem = f"1.2.{number}"
    prediction = build_prediction(
        prediction_id=f"p{number}",
        laterality=laterality,
        source=InstanceIdentity(stem, f"{stem}.1", f"{stem}.1.1"),
    )
    with database.transaction() as session:
        keep_prediction(session, prediction)
        report = keep_instance(
            session, PatientIdentity("P1"), InstanceIdentity(stem, f"{stem}.2", f"{stem}.2.1")
        )
        session.add(ReportRow(prediction_id=f"p{number}", kind="sr", instance_key=key_of(report)))
        return session.get_one(PredictionRow, f"p{number}")


def test_earlier_results_go_once_by_the_rules_of_now(database: Database) -> None:
    right = keep_reported(database, 1, Laterality.RIGHT)
    keep_reported(database, 2, Laterality.LEFT)
    replaced = keep_reported(database, 3, Laterality.RIGHT)
    with database.transaction() as session:
        session.get_one(PredictionRow, replaced.id).status = PredictionStatus.SUPERSEDED
    destination(database, laterality="R")
    since = right.predicted_at

    assert plan_earlier(database, since + timedelta(seconds=1)) == 0
    assert plan_earlier(database, since) == 1
    assert plan_earlier(database, since) == 0
    with database.reading() as session:
        assert session.exec(select(DeliveryRow.report_kind)).all() == ["sr"]


def keep_report(database: Database, number: int, kind: str, version: int = 0) -> None:
    """Keep one more report of a prediction that was reported."""
    stem = f"1.2.{number}"
    uid = f"{stem}.3.{int.from_bytes(kind.encode(), 'big')}.{version}"
    with database.transaction() as session:
        report = keep_instance(session, PatientIdentity("P1"), InstanceIdentity(stem, uid, uid))
        row = ReportRow(
            prediction_id=f"p{number}", kind=kind, version=version, instance_key=key_of(report)
        )
        session.add(row)


def planned(database: Database) -> list[tuple[str, str]]:
    """Return kind and study of what is planned, in the order it goes."""
    statement = (
        select(DeliveryRow.report_kind, InstanceRow.sop_instance_uid)
        .join(InstanceRow, col(InstanceRow.id) == col(DeliveryRow.instance_key))
        .order_by(col(DeliveryRow.id))
    )
    with database.reading() as session:
        return [(kind, uid) for kind, uid in session.exec(statement).all()]


def reject(database: Database, prediction_id: str) -> None:
    with database.transaction() as session:
        record_review(
            session, prediction_id, ReviewDraft(ReviewDecision.REJECT, "dr-ito", "No."), REVIEWED_AT
        )


def test_rejected_result_goes_with_its_rejection_or_not_at_all(database: Database) -> None:
    since = keep_reported(database, 1, Laterality.RIGHT).predicted_at
    for kind in ("sc", "pdf"):
        keep_report(database, 1, kind)
    keep_reported(database, 2, Laterality.RIGHT)
    reject(database, "p1")
    destination(database)

    # The report of the rejection is not written yet.
    assert plan_earlier(database, since) == 1
    keep_report(database, 1, "sr", version=1)
    assert plan_earlier(database, since) == 2

    assert [kind for kind, _ in planned(database)] == ["sr", "sr", "sr"]
    studies = [".".join(uid.split(".")[:3]) for _, uid in planned(database)]
    assert studies == ["1.2.2", "1.2.1", "1.2.1"]
    first, second = [uid for _, uid in planned(database)][1:]
    assert first == "1.2.1.2.1"
    assert second.endswith(".1")


def test_result_that_was_accepted_again_goes_whole(database: Database) -> None:
    since = keep_reported(database, 1, Laterality.RIGHT).predicted_at
    keep_report(database, 1, "pdf")
    reject(database, "p1")
    with database.transaction() as session:
        record_review(session, "p1", ReviewDraft(ReviewDecision.ACCEPT, "dr-ito"), REVIEWED_AT)
    destination(database)

    assert plan_earlier(database, since) == 2


def test_text_goes_by_rules_that_name_it_only(database: Database) -> None:
    since = keep_reported(database, 1, Laterality.RIGHT).predicted_at
    keep_report(database, 1, "text")
    destination(database, "all")
    destination(database, "text", report_kinds=["text"])

    assert plan_earlier(database, since, frozenset({"text"})) == 2
    assert plan_earlier(database, since) == 1


def keep_summary(database: Database, withheld: bool = False, **columns: Any) -> int:
    """Keep a settled summary of the study of `p1` with a report of both eyes."""
    result = {"prediction_id": "p1", **({"is_withheld": True} if withheld else {})}
    eye = {"laterality": "R", "current": "p1", "results": [result]}
    with database.transaction() as session:
        study = session.exec(select(StudyRow)).one()
        facts = {"state": SummaryState.SETTLED, "settled_at": REVIEWED_AT, **columns}
        row = StudySummaryRow(
            study_key=key_of(study),
            opened_at=REVIEWED_AT,
            changed_at=REVIEWED_AT,
            eyes=[eye, {"laterality": "L", "current": None, "results": []}],
            **facts,
        )
        session.add(row)
        session.flush()
        uid = f"1.2.1.9.{row.version}"
        report = keep_instance(session, PatientIdentity("P1"), InstanceIdentity("1.2.1", uid, uid))
        session.add(
            SummaryReportRow(summary_key=key_of(row), kind="pdf", instance_key=key_of(report))
        )
        return key_of(row)


def test_latest_reports_of_both_eyes_go_after_those_of_single_eyes(database: Database) -> None:
    since = keep_reported(database, 1, Laterality.RIGHT).predicted_at
    keep_summary(database, state=SummaryState.SUPERSEDED)
    keep_summary(database, version=2)
    destination(database, laterality="R")
    destination(database, "left", laterality="L")

    assert plan_earlier(database, REVIEWED_AT + timedelta(seconds=1)) == 0
    assert plan_earlier(database, since) == 2
    assert planned(database) == [("sr", "1.2.1.2.1"), ("pdf", "1.2.1.9.2")]
    assert plan_earlier(database, since) == 0


def test_report_of_both_eyes_that_does_not_tell_a_rejection_yet_waits_for_the_one_that_does(
    database: Database,
) -> None:
    keep_reported(database, 1, Laterality.RIGHT)
    first = keep_summary(database)
    reject(database, "p1")
    destination(database)

    assert plan_earlier(database, REVIEWED_AT) == 0
    with database.transaction() as session:
        session.get_one(StudySummaryRow, first).state = SummaryState.SUPERSEDED
    keep_summary(database, withheld=True, version=2)
    assert plan_earlier(database, REVIEWED_AT) == 1
    assert planned(database) == [("pdf", "1.2.1.9.2")]


def test_many_results_are_planned_in_pieces(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "_AT_ONCE", 2)
    kept = [keep_reported(database, number, Laterality.RIGHT) for number in range(1, 6)]
    destination(database)

    assert plan_earlier(database, kept[0].predicted_at) == 5
