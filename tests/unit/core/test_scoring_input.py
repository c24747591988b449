import tracemalloc
from typing import Any

import numpy as np
import pytest

from core.scoring_input import ModelReads, read_question
from core.tensor_scores import TensorsRefused
from core.values.prediction import ModelIdentity
from core.values.tensors import TensorQuestion

_MODEL = ModelIdentity("some", "1.0.0", "sha256:0")
_PROFILE = {"name": "profile", "shape": [768, 1], "unit": "um"}
_AGE = {"name": "age", "shape": [1], "unit": "year"}
_WITH_AGE = {"inputs": [_PROFILE, _AGE]}
_SMALL_IMAGE = {"inputs": [{"name": "fundus", "shape": [2, 3, 1], "unit": "1"}]}
_SAMPLES = [float(number) for number in range(768)]
_NAMES = [f"p{number:03d}" for number in range(768)]


def read(*entries: Any, card: dict[str, Any] = _WITH_AGE) -> TensorQuestion:
    return read_question({"input_data": list(entries)}, _MODEL, card)


@pytest.mark.parametrize(
    "entries",
    [
        [{"values": [[*_SAMPLES, 61]]}],
        [{"values": [[_SAMPLES, 61]]}],
        [{"values": [[[[value] for value in _SAMPLES], [61]]]}],
        [{"fields": [str(number) for number in range(769)], "values": [[*_SAMPLES, 61]]}],
        [{"fields": ["age_years", *_NAMES], "values": [[61, *_SAMPLES]]}],
        [{"fields": [*reversed(_NAMES), "age"], "values": [[*reversed(_SAMPLES), 61]]}],
        [{"fields": ["age", "profile"], "values": [[61, _SAMPLES]]}],
        [{"id": "age", "values": [[61]]}, {"id": "profile", "values": [_SAMPLES]}],
        [{"id": "profile", "values": [_SAMPLES]}, {"id": "age", "values": [61]}],
    ],
)
def test_however_a_row_is_written_it_is_the_same_eye(entries: list[Any]) -> None:
    question = read(*entries)

    assert (question.model_name, question.model_version) == ("some", "1.0.0")
    np.testing.assert_array_equal(question.structure, [np.arange(768, dtype=np.float32)])
    np.testing.assert_array_equal(question.age_years, np.array([61], np.float32))


def test_a_model_that_reads_no_age_takes_nested_rows() -> None:
    question = read({"values": [[[[1], [2], [3]], [[4], [5], [6]]]]}, card=_SMALL_IMAGE)

    np.testing.assert_array_equal(question.structure, [[1, 2, 3, 4, 5, 6]])
    assert np.isnan(question.age_years).all()


def test_rows_keep_their_order() -> None:
    rows = [[*_SAMPLES, age] for age in range(40, 60)]

    assert read({"values": rows}).age_years.tolist() == list(range(40, 60))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (_SAMPLES, r"values\[1\] has 768 numbers, not 769 numbers \(768 of profile, then the age"),
        ([*_SAMPLES, None], r"values\[1\]\[768\] is missing \(null or NaN\)"),
        ([*_SAMPLES[:-1], "7", 61], r"values\[1\] holds something that is no number"),
        ([True] * 769, r"values\[1\] holds something that is no number"),
        ([*_SAMPLES, 1e39], r"values\[1\] has a number that is too large"),
        ([*_SAMPLES, 10**400], r"values\[1\] holds something that is no number"),
        (7, r"values\[1\] has 1 numbers"),
        ([[[[[[[[[[1], 2]]]]]]]], 3], r"more than 8 lists deep"),
        ({"profile": _SAMPLES}, r"values\[1\] has 1 numbers"),
    ],
)
def test_a_row_that_is_wrong_is_named(row: Any, told: str) -> None:
    with pytest.raises(TensorsRefused, match=told):
        read({"values": [[*_SAMPLES, 61], row]})


def test_a_long_text_among_numbers_takes_no_more_than_its_own_memory() -> None:
    row = ["a" * 50_000, *[1] * 768]

    tracemalloc.start()
    with pytest.raises(TensorsRefused, match="holds something that is no number"):
        read({"values": [row]})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("scoring", "told"),
    [
        ({}, "needs `input_data`"),
        ({"input_data": {"values": []}}, "needs `input_data`"),
        ({"input_data": []}, "one entry for each input"),
        ({"input_data": [{}]}, "`values` must be a list with a row"),
        ({"input_data": [{"values": []}]}, "`values` must be a list with a row"),
        ({"input_data": [{"values": 1}]}, "`values` must be a list with a row"),
        ({"input_data": [{"id": "profile", "values": [_SAMPLES]}]}, "as `id`: profile, age"),
        ({"input_data": [{"values": [[1]]}, {"values": [[1]]}]}, "as `id`: profile, age"),
        (
            {
                "input_data": [
                    {"id": "profile", "values": [_SAMPLES]},
                    {"id": "age", "values": [[1], [2]]},
                ]
            },
            "1 rows of profile, not as many of age",
        ),
        ({"input_data": [{"fields": _NAMES, "values": [_SAMPLES]}]}, "p000 to p767 and age"),
        (
            {"input_data": [{"fields": ["profile", "age"], "values": [[1, 2, 3]]}]},
            "not as many cells",
        ),
    ],
)
def test_a_request_that_is_wrong_is_told_what_it_lacks(scoring: Any, told: str) -> None:
    with pytest.raises(TensorsRefused, match=told):
        read_question(scoring, _MODEL, _WITH_AGE)


def test_what_a_model_reads_is_told_in_words() -> None:
    assert ModelReads.of_card(_WITH_AGE).told == "768 of profile, then the age in years"
    assert ModelReads.of_card(_SMALL_IMAGE).told == "6 of fundus"
