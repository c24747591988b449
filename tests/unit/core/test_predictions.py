import math
from dataclasses import asdict

import numpy as np
import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from core.database import Database
from core.errors import RecordNotFound
from core.predictions import load_prediction, record_prediction
from core.tables.changes import ChangeRow
from core.tables.columns import key_of
from core.tables.instances import InstanceRow
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.values.circle_course import CircleCourse
from core.values.fundus_place import FundusPlace, FundusSource
from core.values.laterality import Laterality
from core.values.prediction import Prediction, PredictionStatus
from core.values.scan import ScanKind
from tests.builders.prediction import build_prediction


def keep_instance(database: Database, prediction: Prediction) -> int:
    """Write the rows a prediction hangs on and return the instance's key."""
    patient, source, now = prediction.patient, prediction.source, prediction.received_at
    with database.transaction() as session:
        patient_row = PatientRow(
            patient_id=patient.patient_id,
            issuer=patient.issuer or "",
            name=patient.name,
            birth_date=patient.birth_date,
            sex=patient.sex,
        )
        session.add(patient_row)
        session.flush()
        study = StudyRow(
            patient_key=key_of(patient_row),
            study_instance_uid=source.study_instance_uid,
            accession_number=source.accession_number,
            received_at=now,
        )
        session.add(study)
        session.flush()
        series = SeriesRow(study_key=key_of(study), series_instance_uid=source.series_instance_uid)
        session.add(series)
        session.flush()
        instance = InstanceRow(
            series_key=key_of(series),
            sop_instance_uid=source.sop_instance_uid,
            sop_class_uid="1.2.840.10008.5.1.4.1.1.77.1.5.4",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            digest="0" * 64,
            size_bytes=1,
            storage_key="00/0.dcm",
            received_at=now,
        )
        session.add(instance)
        session.flush()
        return key_of(instance)


def same(one: Prediction, other: Prediction) -> bool:
    left, right = asdict(one), asdict(other)
    return all(_equal(left[name], right[name]) for name in left)


def _equal(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return all(_equal(one[name], other[name]) for name in one)
    if isinstance(one, np.ndarray):
        return bool(np.allclose(one, other, atol=1e-5, equal_nan=True))
    both_missing = isinstance(one, float) and isinstance(other, float) and math.isnan(one + other)
    return one == other or both_missing


@pytest.mark.parametrize("scan_kind", [None, *ScanKind])
def test_kind_and_notes_of_the_scan_come_back(
    database: Database, scan_kind: ScanKind | None
) -> None:
    prediction = build_prediction(scan_kind=scan_kind, notes=("First.", "Second: 12°."))
    instance = keep_instance(database, prediction)

    with database.transaction() as session:
        record_prediction(session, prediction, instance, None)
    with database.reading() as session:
        loaded = load_prediction(session, prediction.prediction_id)

    assert (loaded.scan_kind, loaded.notes) == (scan_kind, ("First.", "Second: 12°."))
    assert loaded.is_of_photograph == (scan_kind is ScanKind.FUNDUS)


def test_place_on_the_fundus_and_course_of_the_columns_come_back(database: Database) -> None:
    place = FundusPlace(FundusSource.THICKNESS_MAP, 640, 480, 1.5, 2.25, 120.0, 21.3, False)
    prediction = build_prediction(fundus=place, course=CircleCourse(359.5, -0.46875))
    instance = keep_instance(database, prediction)

    with database.transaction() as session:
        record_prediction(session, prediction, instance, "previews/a.png", "previews/f.jpg")
    with database.reading() as session:
        loaded = load_prediction(session, prediction.prediction_id)
        row = session.get_one(PredictionRow, prediction.prediction_id)

    assert (loaded.fundus, loaded.course) == (place, CircleCourse(359.5, -0.46875))
    assert (row.preview_key, row.fundus_key) == ("previews/a.png", "previews/f.jpg")


@pytest.mark.parametrize("laterality", Laterality)
@pytest.mark.parametrize("status", [PredictionStatus.FINAL, PredictionStatus.NOT_ASSESSABLE])
def test_prediction_comes_back_as_it_was_recorded(
    database: Database, laterality: Laterality, status: PredictionStatus
) -> None:
    prediction = build_prediction(laterality=laterality, status=status)
    instance = keep_instance(database, prediction)

    with database.transaction() as session:
        record_prediction(session, prediction, instance, None)
    with database.reading() as session:
        loaded = load_prediction(session, prediction.prediction_id)

    assert same(loaded, prediction)


def test_prediction_of_same_scan_and_weights_is_recorded_once(database: Database) -> None:
    first = build_prediction(prediction_id="first")
    again = build_prediction(prediction_id="again")
    instance = keep_instance(database, first)

    with database.transaction() as session:
        record_prediction(session, first, instance, None)
    with database.transaction() as session:
        kept_under = record_prediction(session, again, instance, None)

    assert kept_under == "first"
    with database.reading() as session, pytest.raises(RecordNotFound):
        load_prediction(session, "again")


def test_success_after_a_failure_supersedes_it(database: Database) -> None:
    failed = build_prediction(prediction_id="failed", status=PredictionStatus.FAILED)
    answer = build_prediction(prediction_id="answer")
    instance = keep_instance(database, failed)

    for prediction in (failed, answer, answer):
        with database.transaction() as session:
            kept_under = record_prediction(session, prediction, instance, None)

    assert kept_under == "answer"
    with database.reading() as session:
        row = session.get_one(PredictionRow, "failed")
        assert (row.status, row.superseded_by) == (PredictionStatus.SUPERSEDED, "answer")
        assert same(load_prediction(session, "answer"), answer)
        changes = session.exec(select(ChangeRow.subject).order_by(ChangeRow.number)).all()
    assert changes == ["failed", "answer"]


def test_failure_after_an_answer_or_a_failure_changes_nothing(database: Database) -> None:
    first = build_prediction(prediction_id="first", status=PredictionStatus.FAILED)
    answer = build_prediction(prediction_id="answer", status=PredictionStatus.NOT_ASSESSABLE)
    again = build_prediction(prediction_id="again", status=PredictionStatus.FAILED)
    instance = keep_instance(database, first)
    kept_under = []

    for prediction in (first, again, answer, again):
        with database.transaction() as session:
            kept_under.append(record_prediction(session, prediction, instance, None))

    assert kept_under == ["first", "first", "answer", "answer"]


def test_database_itself_holds_one_answer_per_scan_and_weights(database: Database) -> None:
    first = build_prediction(prediction_id="first")
    instance = keep_instance(database, first)
    with database.transaction() as session:
        record_prediction(session, first, instance, None)
        row = session.get_one(PredictionRow, "first")
        rival = PredictionRow.model_validate(row.model_dump() | {"id": "rival"})

    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(rival)
