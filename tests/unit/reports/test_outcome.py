from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.values.prediction import PredictionStatus
from core.values.reason import ReasonCode
from reports import codes
from reports.errors import PredictionInconsistent
from reports.outcome import Outcome, outcome_of
from tests.builders.prediction import build_prediction

FULL = build_prediction()


def with_value(name: str, value: float) -> Any:
    values = np.array(getattr(FULL.estimate, name))
    values[7] = value
    return replace(FULL.estimate, **{name: values})


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (PredictionStatus.FINAL, Outcome.ESTIMATED),
        (PredictionStatus.SUPERSEDED, Outcome.ESTIMATED),
        (PredictionStatus.NOT_ASSESSABLE, Outcome.NOT_ASSESSABLE),
        (PredictionStatus.FAILED, Outcome.FAILED),
    ],
)
def test_outcome_follows_from_the_prediction(status: PredictionStatus, outcome: Outcome) -> None:
    assert outcome_of(build_prediction(status=status)) is outcome


def test_outcome_of_a_superseded_refusal_stays_a_refusal() -> None:
    refused = build_prediction(status=PredictionStatus.NOT_ASSESSABLE)

    superseded = replace(refused, status=PredictionStatus.SUPERSEDED)

    assert outcome_of(superseded) is Outcome.NOT_ASSESSABLE


@pytest.mark.parametrize(
    "changes",
    [
        {"laterality": None},
        {"estimate": None},
        {"deviations": None},
        {"estimate": with_value("sensitivities_db", float("nan"))},
        {"estimate": with_value("sensitivities_db", 40.5)},
        {"estimate": with_value("sensitivities_db", -0.5)},
        {"estimate": with_value("lower_db", 39.9)},
        {"estimate": with_value("upper_db", 0.0)},
        {"estimate": with_value("upper_db", float("nan"))},
        {"deviations": replace(FULL.deviations, mean_deviation_db=float("nan"))},
        {"status": PredictionStatus.NOT_ASSESSABLE},
    ],
)
def test_prediction_that_contradicts_itself_is_not_reported(changes: dict[str, Any]) -> None:
    with pytest.raises(PredictionInconsistent):
        outcome_of(replace(FULL, **changes))


def test_every_reason_has_a_code_of_its_own() -> None:
    values = [codes.REASON_CODES[reason].value for reason in ReasonCode]

    assert len(set(values)) == len(ReasonCode)
