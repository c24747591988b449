from dataclasses import replace

import pytest

from core.perimetry.indices import deviations
from core.pseudonyms import Pseudonyms
from core.research import research_result
from core.research_table import COLUMNS, row_of, spreadsheet_row
from core.values.prediction import Prediction, PredictionStatus
from tests.builders.prediction import build_prediction

NAMES = Pseudonyms(bytes(32), "p")


def test_row_holds_the_field_the_deviations_and_the_profile() -> None:
    prediction = build_prediction()
    assert prediction.estimate is not None

    row = row_of(research_result(prediction, NAMES))

    assert tuple(row) == COLUMNS
    assert len(COLUMNS) == 17 + 2 + 3 + 5 * 52 + 768
    assert row["s1"] == round(float(prediction.estimate.sensitivities_db[0]), 3)
    assert row["upper52"] == round(float(prediction.estimate.upper_db[51]), 3)
    told = deviations(prediction.estimate.sensitivities_db, 52)
    assert row["pattern_deviation_52"] == round(float(told.pattern_deviation_db[51]), 3)
    assert row["age_years"] == 52
    assert (row["laterality"], row["reasons"], row["review"]) == ("R", "", None)


@pytest.mark.parametrize(("age", "other_age"), [(52.01, 52.99), (90.2, 91.9)])
def test_no_number_tells_more_of_an_age_than_the_age_that_is_told(
    age: float, other_age: float
) -> None:
    first, second = (row_of(research_result(at_age(years), NAMES)) for years in (age, other_age))

    assert first == second


def at_age(years: float) -> Prediction:
    """Return the same field of somebody of another age, with the deviations of that age."""
    prediction = build_prediction()
    assert prediction.estimate is not None
    of_age = deviations(prediction.estimate.sensitivities_db, years)
    return replace(prediction, age_years=years, deviations=of_age)


def test_row_without_an_estimate_says_why() -> None:
    prediction = build_prediction(status=PredictionStatus.NOT_ASSESSABLE, thickness_um=None)

    row = row_of(research_result(prediction, NAMES))

    assert (row["status"], row["reasons"]) == ("not_assessable", "signal_too_low")
    assert {row["s1"], row["mean_deviation_db"], row["p000"]} == {None}


def test_no_text_is_a_formula_and_numbers_stay_numbers() -> None:
    row = {"a": "=1+1", "b": "@x", "c": -2.5, "d": "fine", "e": None, "f": "\tx", "g": "＋1"}
    neutral = {"a": "'=1+1", "b": "'@x", "f": "'\tx", "g": "'＋1"}

    assert spreadsheet_row(row) == {**row, **neutral}
