import json
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from core.values.identity import PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import ESTIMATE_NOTICE, Prediction, PredictionStatus
from reports.equipment import Equipment
from reports.fhir.bundle import build_bundle
from reports.fhir.concepts import INTERVAL, PLACE
from tests.builders.prediction import (
    POINTS_DEGREE,
    Loss,
    build_fundus_prediction,
    build_prediction,
)
from tests.conftest import miss

SCAN_CLASS = "1.2.840.10008.5.1.4.1.1.77.1.5.4"
#: Codes of the profile of measured fields; claiming one would make an estimate a measurement.
MEASURED_FIELD_CODES = {"28629-4", "103752008", "111817-3", "111607-8"}
LEFT = build_prediction(laterality=Laterality.LEFT, loss=Loss.ARCUATE)
UNKNOWN = build_prediction(laterality=None, status=PredictionStatus.NOT_ASSESSABLE)

CASES = {
    "right": build_prediction(),
    "left": LEFT,
    "photograph": build_fundus_prediction(),
    "not assessable": build_prediction(status=PredictionStatus.NOT_ASSESSABLE),
    "failed": build_prediction(status=PredictionStatus.FAILED, acquired_at=None, age_years=None),
    "eye unknown": UNKNOWN,
    "nameless": build_prediction(patient=PatientIdentity("P-1")),
}

Json = dict[str, Any]


def bundle_of(prediction: Prediction) -> Json:
    return build_bundle(prediction, SCAN_CLASS, Equipment("1.2.3", "node-1"), "/page.pdf")


def resources_of(prediction: Prediction, kind: str) -> list[Json]:
    entries = bundle_of(prediction)["entry"]
    return [e["resource"] for e in entries if e["resource"]["resourceType"] == kind]


def observation(prediction: Prediction, code: str) -> Json:
    return next(
        found
        for found in resources_of(prediction, "Observation")
        if found["code"]["coding"][0]["code"] == code
    )


def values_of(element: object, key: str) -> list[Any]:
    """Return every value of a key, at any depth."""
    if isinstance(element, dict):
        below = [found for value in element.values() for found in values_of(value, key)]
        return ([element[key]] if key in element else []) + below
    if isinstance(element, list):
        return [found for item in element for found in values_of(item, key)]
    return []


@pytest.mark.parametrize("case", CASES)
def test_bundle_is_valid_r4(case: str) -> None:
    if find_spec("fhir") is None:
        miss("the package fhir.resources")
    bundles = import_module("fhir.resources.R4B.bundle")
    bundle = bundle_of(CASES[case])

    read = bundles.Bundle.model_validate_json(json.dumps(bundle))

    assert [e.resource.__resource_type__ for e in read.entry] == [
        e["resource"]["resourceType"] for e in bundle["entry"]
    ]


@pytest.mark.parametrize("case", CASES)
def test_every_reference_is_to_a_resource_of_the_bundle(case: str) -> None:
    bundle = bundle_of(CASES[case])

    names = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(names)) == len(names)
    assert set(values_of(bundle, "reference")) <= set(names)


@pytest.mark.parametrize("case", CASES)
def test_nothing_claims_to_be_a_measurement(case: str) -> None:
    bundle = bundle_of(CASES[case])

    assert MEASURED_FIELD_CODES.isdisjoint(map(str, values_of(bundle, "code")))
    assert values_of(bundle, "profile") == []
    for kind in ("Observation", "DiagnosticReport"):
        for resource in resources_of(CASES[case], kind):
            assert resource["meta"]["security"][0]["code"] == "AIAST"
            assert resource["status"] == "preliminary"
            assert ESTIMATE_NOTICE in json.dumps(resource)


@pytest.mark.parametrize(("prediction", "sign"), [(build_prediction(), 1), (LEFT, -1)])
def test_points_stand_where_the_patient_sees_them(prediction: Prediction, sign: int) -> None:
    field = observation(prediction, "EVF")

    found = {}
    for component in field["component"]:
        extensions = {e["url"]: e for e in component["extension"]}
        x, y = (e["valueQuantity"]["value"] for e in extensions[PLACE]["extension"])
        limits = extensions[INTERVAL]["valueRange"]
        found[(x, y)] = (
            component["valueQuantity"]["value"],
            limits["low"]["value"],
            limits["high"]["value"],
        )
    estimate = prediction.estimate
    columns = (estimate.sensitivities_db, estimate.lower_db, estimate.upper_db)
    assert found == {
        (sign * x, y): pytest.approx(tuple(float(c[i]) for c in columns), abs=0.0051)
        for i, (x, y) in enumerate(POINTS_DEGREE)
    }
    assert len({component["code"]["coding"][0]["code"] for component in field["component"]}) == 52


def test_indices_have_unit_and_eye() -> None:
    mean_deviation = observation(LEFT, "MD")

    assert mean_deviation["valueQuantity"] == {
        "value": round(LEFT.deviations.mean_deviation_db, 2),
        "unit": "dB",
        "system": "http://unitsofmeasure.org",
        "code": "dB",
    }
    assert mean_deviation["code"]["coding"][1]["code"] == "422859007"
    assert mean_deviation["bodySite"]["text"] == "left eye"
    (eye,) = resources_of(LEFT, "BodyStructure")
    assert eye["locationQualifier"][0]["coding"][0]["code"] == "7771000"


def test_unknown_eye_has_no_side() -> None:
    (eye,) = resources_of(UNKNOWN, "BodyStructure")

    assert "locationQualifier" not in eye
    assert resources_of(UNKNOWN, "Observation")[0]["bodySite"]["text"] == "eye unknown"


@pytest.mark.parametrize(
    ("case", "code"), [("not assessable", "not-performed"), ("failed", "error")]
)
def test_result_without_an_estimate_says_why_and_has_no_value(case: str, code: str) -> None:
    (only,) = resources_of(CASES[case], "Observation")

    assert only["dataAbsentReason"]["coding"][0]["code"] == code
    assert only["dataAbsentReason"]["text"] == CASES[case].reasons[0].message
    assert values_of(bundle_of(CASES[case]), "valueQuantity") == []


def test_source_and_origin_are_named() -> None:
    (study,) = resources_of(LEFT, "ImagingStudy")
    (device,) = resources_of(LEFT, "Device")
    (provenance,) = resources_of(LEFT, "Provenance")

    assert study["identifier"][0] == {"system": "urn:dicom:uid", "value": "urn:oid:2.25.101"}
    assert study["identifier"][1]["value"] == "ACC0001"
    assert study["series"][0]["instance"][0]["uid"] == "2.25.103"
    versions = {version["type"]["text"]: version["value"] for version in device["version"]}
    assert versions == {"software": "1.2.3", "model": "1.0.0", "weights": LEFT.model.digest}
    assert len(provenance["target"]) == 4


def test_conclusion_of_a_replaced_result_says_so() -> None:
    (report,) = resources_of(
        build_prediction(status=PredictionStatus.SUPERSEDED), "DiagnosticReport"
    )

    assert report["conclusion"].startswith("REPLACED by a later result. RIGHT EYE (OD): ")


def test_same_result_gives_the_same_bundle() -> None:
    assert bundle_of(LEFT) == bundle_of(LEFT)
