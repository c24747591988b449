import json
from pathlib import Path
from typing import Any

import pytest

from arcuate.demo_expectations import Expectation, read_expectations, samples_folder
from core.perimetry.pattern import Y_DEGREE
from tests.conftest import REPOSITORY

FINAL = Expectation("final", None, None, None, None)


def prediction(mean_deviation: float = -4.0, worse: str = "superior") -> dict[str, Any]:
    """A final prediction whose worse half-field lies 6 dB below the other."""
    upper, lower = (-6.0, 0.0) if worse == "superior" else (0.0, -6.0)
    return {
        "status": "final",
        "reasons": [],
        "indices": {"mean_deviation": mean_deviation},
        "points": [{"total_deviation": upper if y > 0 else lower} for y in Y_DEGREE],
    }


def refused(*codes: str) -> dict[str, Any]:
    return {"status": "not_assessable", "reasons": [{"code": code} for code in codes]}


@pytest.mark.parametrize(
    ("below", "above", "met"),
    [
        (None, None, True),
        (-3.0, None, True),
        (-5.0, None, False),
        (None, -5.0, True),
        (None, -3.0, False),
    ],
)
def test_mean_deviation_must_lie_between_its_limits(
    below: float | None, above: float | None, met: bool
) -> None:
    expectation = Expectation("final", None, below, above, None)

    assert expectation.is_met(prediction(-4.0)) is met


@pytest.mark.parametrize(
    ("expected", "found", "met"),
    [
        ("superior", "superior", True),
        ("superior", "inferior", False),
        ("inferior", "inferior", True),
        ("inferior", "superior", False),
    ],
)
def test_loss_must_lie_in_the_expected_half_field(expected: str, found: str, met: bool) -> None:
    expectation = Expectation("final", None, None, None, expected)

    assert expectation.is_met(prediction(worse=found)) is met


@pytest.mark.parametrize(
    ("found", "met"),
    [
        (refused("laterality_conflict"), True),
        (refused("pixels_unreadable"), False),
        (refused("laterality_conflict", "age_missing"), False),
        (refused(), False),
        (prediction(), False),
    ],
)
def test_refusal_must_have_the_expected_reason_alone(found: dict[str, Any], met: bool) -> None:
    expectation = Expectation("not_assessable", "laterality_conflict", None, None, None)

    assert expectation.is_met(found) is met


def test_refused_scan_does_not_meet_a_final_expectation() -> None:
    assert not FINAL.is_met(refused("signal_too_low"))


def test_only_scans_must_make_a_prediction() -> None:
    statuses = ("final", "not_assessable", "not_model_input")

    makes = [Expectation(status, None, None, None, None).makes_prediction for status in statuses]

    assert makes == [True, True, False]


def test_every_sample_file_has_an_expectation() -> None:
    folder = samples_folder()
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))

    expectations = read_expectations(folder)

    assert folder == REPOSITORY / "sample_dicom"
    listed = {Path(file["path"]) for study in manifest["studies"] for file in study["files"]}
    assert len(expectations) == len(listed)
    assert listed == {path.relative_to(folder) for path in folder.rglob("*.dcm")}
