"""What is known around a prediction: nothing of another patient, eye, model or moment."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, update

from core import earlier_results, report_context
from core.database import Database
from core.earlier_results import find_earlier
from core.errors import RecordNotFound
from core.report_context import read_context
from core.reviews import record_review
from core.tables.instances import InstanceOutcome
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import ModelIdentity, Prediction, PredictionStatus
from core.values.review import Amendment, ReviewDecision, ReviewDraft
from core.values.scan import ScanKind
from tests.builders.archive import keep_instance, keep_prediction
from tests.builders.prediction import build_prediction

PATIENT = PatientIdentity("P-0001", "Clinic", "Sample^Eye")
THIS = build_prediction(prediction_id="this", patient=PATIENT)


def visit(number: int, days_before: float, **changes: Any) -> Prediction:
    """Return the result of another visit, of its own study."""
    assert THIS.acquired_at is not None
    source = InstanceIdentity(f"1.2.{number}", f"1.3.{number}", f"1.4.{number}")
    return build_prediction(
        **{
            "prediction_id": f"visit-{number}",
            "patient": PATIENT,
            "source": source,
            "acquired_at": THIS.acquired_at - timedelta(days=days_before),
            **changes,
        }
    )


def other_eye(identifier: str, number: int, **changes: Any) -> Prediction:
    """Return a result of the left eye of the same study."""
    source = replace(THIS.source, sop_instance_uid=f"2.25.103.{number}")
    return build_prediction(
        **{
            "prediction_id": identifier,
            "patient": PATIENT,
            "laterality": Laterality.LEFT,
            "source": source,
            **changes,
        }
    )


def keep(database: Database, *predictions: Prediction) -> None:
    with database.transaction() as session:
        for prediction in predictions:
            keep_prediction(session, prediction)


def test_what_a_person_withholds_is_told_beside_no_other_result(database: Database) -> None:
    keep(database, visit(1, 200), visit(2, 400), other_eye("left", 2), THIS)
    rejection = ReviewDraft(ReviewDecision.REJECT, "dr-ito", "Drusen.")
    unassessable = ReviewDraft(
        ReviewDecision.AMEND, "dr-ito", amendment=Amendment(assessable=False)
    )
    with database.transaction() as session:
        before = read_context(session, "this")
        record_review(session, "visit-1", rejection, THIS.predicted_at)
        record_review(session, "left", unassessable, THIS.predicted_at)
    with database.reading() as session:
        after = read_context(session, "this")

    assert (len(before.earlier), before.other_eye is None) == (2, False)
    assert (after.earlier, after.other_eye) == (before.earlier[:1], None)


def test_what_is_withheld_takes_no_place_of_what_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (report_context, earlier_results):
        name = "_MOST_EARLIER" if module is report_context else "_MOST"
        monkeypatch.setattr(module, name, 1)
    keep(database, visit(1, 200), visit(2, 400), THIS)
    with database.transaction() as session:
        rejection = ReviewDraft(ReviewDecision.REJECT, "dr-ito", "Drusen.")
        record_review(session, "visit-1", rejection, THIS.predicted_at)
    with database.transaction() as session:
        told = read_context(session, "this").earlier
        row = session.get_one(PredictionRow, "this")
        listed = find_earlier(session, THIS, row.instance_key, 1)
        # What is accepted in the end is told again.
        acceptance = ReviewDraft(ReviewDecision.ACCEPT, "dr-ito", "No drusen.")
        record_review(session, "visit-1", acceptance, THIS.predicted_at)
        after = find_earlier(session, THIS, row.instance_key, 1)

    assert [point.acquired_at for point in told] == [visit(2, 400).acquired_at]
    assert [one.prediction_id for one in listed] == ["visit-2"]
    assert [one.prediction_id for one in after] == ["visit-1"]


def test_earlier_estimates_are_those_of_this_eye_of_this_patient_by_this_model(
    database: Database,
) -> None:
    other_model = ModelIdentity("other", "1.0.0", "sha256:other")
    newer_weights = ModelIdentity("retinervenet", "0.9.0", "sha256:older")
    keep(
        database,
        visit(1, 200),
        visit(2, 400, model=newer_weights),
        visit(3, 300, laterality=Laterality.LEFT),
        visit(4, 300, patient=PatientIdentity("P-0001", "Elsewhere", "Other^Person")),
        visit(5, 300, status=PredictionStatus.NOT_ASSESSABLE),
        visit(6, 300, model=other_model),
        visit(7, -100),
        visit(8, 300, acquired_at=None),
        THIS,
    )

    with database.reading() as session:
        context = read_context(session, "this")

    dates = [point.acquired_at for point in context.earlier]
    assert dates == [visit(2, 400).acquired_at, visit(1, 200).acquired_at]
    assert [point.model.version for point in context.earlier] == ["0.9.0", "1.0.0"]
    assert (context.other_eye, context.predecessors) == (None, ())


def test_only_the_newest_of_many_visits_are_told(database: Database) -> None:
    keep(database, *(visit(number, number) for number in range(1, 66)), THIS)

    with database.reading() as session:
        earlier = read_context(session, "this").earlier

    assert len(earlier) == 60
    assert [earlier[0].acquired_at, earlier[-1].acquired_at] == [
        visit(60, 60).acquired_at,
        visit(1, 1).acquired_at,
    ]


def test_other_eye_is_the_result_that_counts_in_this_study(database: Database) -> None:
    keep(
        database,
        other_eye("photograph", 1, scan_kind=ScanKind.FUNDUS),
        other_eye("counts", 2),
        other_eye("unusable", 3, status=PredictionStatus.NOT_ASSESSABLE),
        visit(9, 10, laterality=Laterality.LEFT),
        THIS,
    )

    with database.reading() as session:
        found = read_context(session, "this").other_eye

    assert found is not None
    assert (found.prediction_id, found.laterality) == ("counts", Laterality.LEFT)


def test_result_of_an_unknown_eye_has_neither_other_eye_nor_earlier_ones(
    database: Database,
) -> None:
    unknown = other_eye("unknown", 4, laterality=None, status=PredictionStatus.NOT_ASSESSABLE)
    keep(database, visit(1, 200), THIS, unknown)

    with database.reading() as session:
        context = read_context(session, "unknown")

    assert (context.other_eye, context.earlier) == (None, ())


def test_reports_of_the_replaced_prediction_are_its_predecessors(database: Database) -> None:
    with database.transaction() as session:
        scan = keep_prediction(session, replace(THIS, prediction_id="before"))
        _report(session, "before", "sr")
        _report(session, "before", "pdf")
        session.execute(update(PredictionRow).values(status=PredictionStatus.SUPERSEDED))
        session.add(PredictionRow(**_columns(scan.id)))
        session.flush()
        session.execute(
            update(PredictionRow)
            .where(PredictionRow.id == "before")  # type: ignore[arg-type]
            .values(superseded_by="after")
        )

    with database.reading() as session:
        context = read_context(session, "after")

    assert [kept.kind for kept in context.predecessors] == ["sr", "pdf"]
    (kept,) = context.predecessors_of_kind("sr")
    assert (kept.study_instance_uid, kept.sop_instance_uid) == ("2.25.101", "1.9.sr")
    assert kept.series_instance_uid == "1.8.sr"


def _report(session: Session, prediction_id: str, kind: str) -> None:
    source = InstanceIdentity("2.25.101", f"1.8.{kind}", f"1.9.{kind}")
    row = keep_instance(session, PATIENT, source, outcome=InstanceOutcome.REPORT)
    session.add(ReportRow(prediction_id=prediction_id, kind=kind, instance_key=row.id))


def _columns(instance_key: int | None) -> dict[str, Any]:
    return {
        "id": "after",
        "instance_key": instance_key,
        "status": PredictionStatus.FINAL,
        "laterality": "R",
        "model_name": "retinervenet",
        "model_version": "1.0.0",
        "model_digest": THIS.model.digest,
        "predicted_at": THIS.predicted_at,
    }


def test_context_of_nothing_is_not_found(database: Database) -> None:
    with database.reading() as session, pytest.raises(RecordNotFound):
        read_context(session, "nothing")
