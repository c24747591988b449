from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import numpy as np

from core.perimetry.indices import deviations
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import FieldEstimate, ModelIdentity, PredictionStatus
from core.values.profile import Profile, Quality
from core.values.reason import Reason, ReasonCode
from core.values.scan import Device
from inference import outcome
from inference.examination import Examination
from inference.subject import Subject
from tests.builders.prediction import build_thickness_um

MODEL = ModelIdentity("retinervenet", "1.0.0", "sha256:ab")
NOW = datetime(2026, 3, 4, 9, 30, 1, tzinfo=UTC)
SUBJECT = Subject(
    instance_key=7,
    patient=PatientIdentity("P1", None, "Sample^Eye", date(1958, 3, 1), "F"),
    source=InstanceIdentity("2.25.1", "2.25.2", "2.25.3", "ACC"),
    device=Device("Series maker"),
    received_at=datetime(2026, 3, 4, 9, 30, tzinfo=UTC),
)
EXAMINATION = Examination(
    device=Device("Maker", "Scanner", "SN"),
    laterality=Laterality.LEFT,
    acquired_at=datetime(2024, 3, 20, 10, 30, tzinfo=UTC),
    age_years=66.0,
    profile=Profile(build_thickness_um(), Quality(True, 0.9)),
)
ESTIMATE = FieldEstimate(
    np.linspace(5, 33, 52, dtype=np.float32),
    np.linspace(1, 29, 52, dtype=np.float32),
    np.linspace(9, 35, 52, dtype=np.float32),
)
WEAK = Reason(ReasonCode.SIGNAL_TOO_LOW, "Weak. Scan the eye again.")


def test_estimate_makes_a_final_prediction_of_that_eye() -> None:
    prediction = outcome.conclude(SUBJECT, EXAMINATION, MODEL, NOW, ESTIMATE)

    assert (prediction.status, prediction.laterality) == (PredictionStatus.FINAL, Laterality.LEFT)
    assert (prediction.patient, prediction.source) == (SUBJECT.patient, SUBJECT.source)
    assert (prediction.model, prediction.device) == (MODEL, EXAMINATION.device)
    assert (prediction.received_at, prediction.predicted_at) == (SUBJECT.received_at, NOW)
    assert (prediction.acquired_at, prediction.age_years) == (EXAMINATION.acquired_at, 66.0)
    assert (prediction.quality_score, prediction.reasons) == (0.9, ())
    assert prediction.estimate is ESTIMATE
    expected = deviations(ESTIMATE.sensitivities_db, 66.0)
    assert prediction.deviations is not None
    assert prediction.deviations.mean_deviation_db == expected.mean_deviation_db


def test_without_an_estimate_the_prediction_says_why_and_has_no_numbers_of_a_field() -> None:
    refused = replace(EXAMINATION, reasons=(WEAK,))

    prediction = outcome.conclude(SUBJECT, refused, MODEL, NOW, None)

    assert prediction.status is PredictionStatus.NOT_ASSESSABLE
    assert prediction.reasons == (WEAK,)
    assert (prediction.estimate, prediction.deviations) == (None, None)
    assert np.array_equal(prediction.thickness_um, build_thickness_um())


def test_scan_that_was_not_measured_has_neither_profile_nor_quality() -> None:
    unread = replace(EXAMINATION, laterality=None, profile=None, reasons=(WEAK,))

    prediction = outcome.conclude(SUBJECT, unread, MODEL, NOW, None)

    assert (prediction.laterality, prediction.thickness_um, prediction.layers) == (None, None, None)
    assert prediction.quality_score == 0.0


def test_failure_names_no_eye_and_takes_the_device_of_the_series() -> None:
    broken = Reason(ReasonCode.PROCESSING_FAILED, "The device ran out of memory")

    prediction = outcome.failed(SUBJECT, MODEL, NOW, broken)

    assert (prediction.status, prediction.reasons) == (PredictionStatus.FAILED, (broken,))
    assert (prediction.laterality, prediction.device) == (None, SUBJECT.device)
    assert (prediction.estimate, prediction.age_years, prediction.thickness_um) == (None,) * 3


def test_every_prediction_has_an_id_of_its_own() -> None:
    ids = {
        outcome.conclude(SUBJECT, EXAMINATION, MODEL, NOW, ESTIMATE).prediction_id for _ in range(5)
    }

    assert len({UUID(one) for one in ids}) == 5
