from datetime import timedelta

from sqlmodel import select

from core.database import Database
from core.deliveries.backfill import plan_earlier
from core.tables.columns import key_of
from core.tables.deliveries import DeliveryRow
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from tests.builders.archive import keep_instance, keep_prediction
from tests.builders.planned_delivery import destination
from tests.builders.prediction import build_prediction


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
