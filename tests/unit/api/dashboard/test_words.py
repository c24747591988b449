import math

import pytest

from api.dashboard import words
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.scan import Device
from tests.builders.prediction import build_prediction, build_thickness_um


@pytest.mark.parametrize(
    ("value", "text"),
    [(-2.06, "−2.1 dB"), (0.04, "0.0 dB"), (-0.04, "0.0 dB"), (1.25, "+1.2 dB"), (None, "–")],
)
def test_deviation_has_its_sign(value: float | None, text: str) -> None:
    assert words.signed_decibel(value) == text


@pytest.mark.parametrize("value", [None, math.nan])
def test_missing_value_is_a_dash(value: float | None) -> None:
    assert words.decibel(value) == "–"
    assert words.signed_decibel(value) == "–"


def test_eye_is_named_in_words_and_letters() -> None:
    assert words.eye(Laterality.RIGHT) == "Right eye (OD)"
    assert words.eye(Laterality.LEFT) == "Left eye (OS)"
    assert words.eye(None) == "Eye unknown"


def test_every_status_has_words() -> None:
    written = {words.status(value) for value in PredictionStatus}

    assert len(written) == len(PredictionStatus)


def test_quality_of_a_scan_that_was_never_read_is_unknown() -> None:
    unread = build_prediction(
        status=PredictionStatus.NOT_ASSESSABLE, quality_score=0.0, thickness_um=None
    )
    useless = build_prediction(
        status=PredictionStatus.NOT_ASSESSABLE, quality_score=0.0, thickness_um=build_thickness_um()
    )

    assert words.quality(unread) == "–"
    assert words.quality(useless) == "0 %"


def test_device_that_says_nothing_is_unknown() -> None:
    assert words.device(Device()) == "Device unknown"
    assert words.device(Device("", "Scanner")) == "Scanner"
