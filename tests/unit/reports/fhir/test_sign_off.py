from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from core.values.review import Amendment, Review, ReviewDecision
from reports.equipment import Equipment
from reports.fhir.bundle import build_bundle
from tests.builders.prediction import build_prediction
from tests.builders.review import build_review
from tests.conftest import miss

SCAN_CLASS = "1.2.840.10008.5.1.4.1.1.77.1.5.4"
ACCEPTED = build_review(decision=ReviewDecision.ACCEPT, reviewer="Dr Ito")
AMENDED = build_review(
    decision=ReviewDecision.AMEND,
    reviewer="Dr Ito",
    comment="Old trauma.",
    amendment=Amendment(mean_deviation_db=-4.0),
)
REJECTED = build_review(decision=ReviewDecision.REJECT, reviewer="Dr Ito", comment="Drusen")
NOT_ASSESSABLE = build_review(
    decision=ReviewDecision.AMEND, reviewer="Dr Ito", amendment=Amendment(assessable=False)
)

Json = dict[str, Any]


def bundle_of(review: Review | None) -> Json:
    equipment = Equipment("1.2.3", "node-1")
    return build_bundle(build_prediction(), SCAN_CLASS, equipment, "/page.pdf", review)


def resources_of(review: Review | None, kind: str) -> list[Json]:
    entries = bundle_of(review)["entry"]
    return [e["resource"] for e in entries if e["resource"]["resourceType"] == kind]


@pytest.mark.parametrize("review", [ACCEPTED, AMENDED, REJECTED, NOT_ASSESSABLE])
def test_bundle_of_a_reviewed_result_is_valid_r4(review: Review) -> None:
    if find_spec("fhir") is None:
        miss("the package fhir.resources")
    bundles = import_module("fhir.resources.R4B.bundle")

    assert bundles.Bundle.model_validate(bundle_of(review)).entry


@pytest.mark.parametrize(
    ("review", "status"),
    [
        (None, "preliminary"),
        (ACCEPTED, "final"),
        (AMENDED, "amended"),
        (REJECTED, "entered-in-error"),
        (NOT_ASSESSABLE, "entered-in-error"),
    ],
)
def test_status_is_what_was_decided(review: Review | None, status: str) -> None:
    told = resources_of(review, "DiagnosticReport") + resources_of(review, "Observation")

    assert {resource["status"] for resource in told} == {status}


@pytest.mark.parametrize("review", [REJECTED, NOT_ASSESSABLE])
def test_numbers_nobody_must_take_are_not_there(review: Review) -> None:
    for observation in resources_of(review, "Observation"):
        assert "valueQuantity" not in observation
        assert "component" not in observation
        assert "Dr Ito" in observation["dataAbsentReason"]["text"]


@pytest.mark.parametrize("review", [ACCEPTED, AMENDED])
def test_numbers_that_stand_are_the_estimates_own(review: Review) -> None:
    before = [one.get("valueQuantity") for one in resources_of(None, "Observation")]

    assert [one.get("valueQuantity") for one in resources_of(review, "Observation")] == before


def test_conclusion_says_first_who_decided_what() -> None:
    [report] = resources_of(AMENDED, "DiagnosticReport")

    assert report["conclusion"].startswith("AMENDED by Dr Ito on ")
    assert "mean deviation −4.0 dB instead. Old trauma. RIGHT EYE" in report["conclusion"]


def test_reviewer_is_the_verifier() -> None:
    [provenance] = resources_of(ACCEPTED, "Provenance")

    assert provenance["agent"][-1]["who"] == {"display": "Dr Ito"}
    assert provenance["agent"][-1]["type"]["coding"][0]["code"] == "verifier"
