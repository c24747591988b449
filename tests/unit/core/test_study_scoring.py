from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from core import ledger
from core.clock import utc_now
from core.database import Database
from core.study_scoring import predictions_of_studies, score_studies, study_uids_of
from core.tables.instances import InstanceOutcome
from core.tables.jobs import JobKind, JobRow
from core.tensor_scores import TensorsRefused
from core.values.identity import InstanceIdentity
from core.values.prediction import PredictionStatus
from tests.builders.archive import keep_instance, keep_prediction
from tests.builders.prediction import build_prediction

_MODEL = ("retinervenet", "1.0.0")
_STUDY = "2.25.101"


def score(database: Database, uid: str = _STUDY, model: tuple[str, str] = _MODEL) -> Any:
    with database.transaction() as session:
        return score_studies(session, [uid, uid], model, utc_now() - timedelta(minutes=1))


def analyses(database: Database) -> list[str]:
    with database.reading() as session:
        statement = select(JobRow.subject).where(JobRow.kind == JobKind.ANALYSE)
        return list(session.exec(statement).all())


def test_what_the_model_said_already_is_the_answer(database: Database) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_prediction())
        unfit = build_prediction(
            status=PredictionStatus.NOT_ASSESSABLE,
            prediction_id="p2",
            source=InstanceIdentity(_STUDY, "2.25.102", "2.25.104"),
        )
        keep_prediction(session, unfit)
        other = InstanceIdentity(_STUDY, "2.25.102", "2.25.105")
        keep_instance(session, unfit.patient, other, InstanceOutcome.NOT_MODEL_INPUT)
    [output] = predictions_of_studies(score(database), "dense_1")

    assert analyses(database) == []
    assert output["id"] == "dense_1"
    assert [len(row) for row in output["values"]] == [52]
    final, not_assessable = output["scans"]
    assert (final["row"], final["status"], final["study_uid"]) == (0, "final", _STUDY)
    assert (not_assessable["row"], not_assessable["prediction_id"]) == (None, "p2")
    assert not_assessable["reasons"][0]["code"]


def test_a_scan_the_model_has_not_seen_is_given_to_it_once(database: Database) -> None:
    with database.transaction() as session:
        instance = keep_prediction(session, build_prediction())
    first = score(database, model=("retinervenet", "3.0.0"))
    second = score(database, model=("retinervenet", "3.0.0"))

    assert (first, second) == (None, None)
    assert analyses(database) == [str(instance.id)]


def test_a_scan_that_another_model_scored_meanwhile_ends_the_job(database: Database) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_prediction())
    score(database, model=("retinervenet", "3.0.0"))
    with database.transaction() as session:
        [claimed] = ledger.claim(session, JobKind.ANALYSE, "worker", 1, 60)
        ledger.finish(session, claimed)

    with pytest.raises(TensorsRefused, match="Another model"):
        score(database, model=("retinervenet", "3.0.0"))


def test_a_study_that_is_not_kept_is_refused_without_its_name(database: Database) -> None:
    with pytest.raises(TensorsRefused, match="not kept here") as refused:
        score(database, "1.2.3.4.5")
    assert "1.2.3" not in str(refused.value)


@pytest.mark.parametrize(
    "references",
    [
        None,
        [],
        [{}],
        [{"type": "data_asset", "location": {"href": "x"}}],
        [{"type": "dicom"}],
        [{"type": "dicom", "location": {"study_uid": 7}}],
        [{"type": "dicom", "location": {"study_uid": "1.2"}}] * 101,
    ],
)
def test_references_that_are_others_are_refused(references: Any) -> None:
    with pytest.raises(TensorsRefused):
        study_uids_of({"input_data_references": references})
