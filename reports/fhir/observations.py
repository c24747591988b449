"""The numbers of a result as observations, or the one that says why there are none."""

from typing import Final

import numpy as np

from core.perimetry import pattern
from core.values.laterality import Laterality
from core.values.prediction import FieldEstimate, Prediction
from reports import codes
from reports.fhir.concepts import (
    AI_ASSERTED,
    BODY_STRUCTURE,
    INTERVAL,
    PLACE,
    Json,
    decibel,
    degree,
    own_concept,
    reference,
    snomed,
)
from reports.field_words import field_of
from reports.outcome import Outcome, outcome_of

#: What tells the observations of a result apart.
FIELD, MEAN_DEVIATION, MEAN_SENSITIVITY = "field", "mean-deviation", "mean-sensitivity"

_ABSENT: Final = {Outcome.NOT_ASSESSABLE: "not-performed", Outcome.FAILED: "error"}
_ABSENT_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


def observations(prediction: Prediction) -> dict[str, Json]:
    """Return every observation by what tells it apart."""
    if outcome_of(prediction) is not Outcome.ESTIMATED:
        return {FIELD: _without_value(prediction)}
    estimate, deviations, laterality = field_of(prediction)
    mean_deviation = own_concept(
        "MD", "Mean deviation of the estimated 24-2 field", snomed("422859007", "Mean deviation")
    )
    mean_sensitivity = own_concept("MS", "Mean sensitivity of the estimated 24-2 field")
    return {
        MEAN_DEVIATION: {
            **_observation(prediction, mean_deviation),
            "valueQuantity": decibel(deviations.mean_deviation_db),
        },
        MEAN_SENSITIVITY: {
            **_observation(prediction, mean_sensitivity),
            "valueQuantity": decibel(deviations.mean_sensitivity_db),
        },
        FIELD: {
            **_observation(prediction, _field(prediction)),
            "component": _components(estimate, laterality),
        },
    }


def _field(prediction: Prediction) -> Json:
    finding = codes.finding_of(outcome_of(prediction), is_of_photograph=prediction.is_of_photograph)
    return own_concept(str(finding.value), str(finding.meaning))


def _observation(prediction: Prediction, code: Json) -> Json:
    made = (
        codes.ESTIMATION_FROM_PHOTOGRAPH
        if prediction.is_of_photograph
        else (codes.ESTIMATION_FROM_OCT)
    )
    name = prediction.prediction_id
    observation: Json = {
        "resourceType": "Observation",
        "meta": {"security": [AI_ASSERTED]},
        "status": "preliminary",
        "code": code,
        "subject": reference("Patient", name),
        "issued": prediction.predicted_at.isoformat(),
        "bodySite": _body_site(prediction),
        "method": own_concept(str(made.value), str(made.meaning)),
        "device": reference("Device", name),
        "derivedFrom": [reference("ImagingStudy", name)],
        "note": [{"text": text} for text in (prediction.notice, *prediction.notes)],
    }
    if prediction.acquired_at is not None:
        observation["effectiveDateTime"] = prediction.acquired_at.isoformat()
    return observation


def _body_site(prediction: Prediction) -> Json:
    eye = prediction.laterality.eye if prediction.laterality else "eye unknown"
    structure = reference("BodyStructure", prediction.prediction_id)
    return {
        "extension": [{"url": BODY_STRUCTURE, "valueReference": structure}],
        "coding": [snomed("81745001", "Eye")],
        "text": eye,
    }


def _components(estimate: FieldEstimate, laterality: Laterality) -> list[Json]:
    """Return the 52 places in right-eye order, each where the patient sees it."""
    places = zip(
        pattern.LOCATIONS, pattern.x_as_patient_sees(laterality), pattern.Y_DEGREE, strict=True
    )
    return [
        _component(int(location), float(x), float(y), estimate, index)
        for index, (location, x, y) in enumerate(places)
    ]


def _component(location: int, x: float, y: float, estimate: FieldEstimate, index: int) -> Json:
    limits = {
        "low": decibel(float(estimate.lower_db[index])),
        "high": decibel(float(estimate.upper_db[index])),
    }
    place = [
        {"url": "x", "valueQuantity": degree(x)},
        {"url": "y", "valueQuantity": degree(y)},
    ]
    words = f"Estimated sensitivity at x {x:+.0f}°, y {y:+.0f}°"
    return {
        "extension": [
            {"url": PLACE, "extension": place},
            {"url": INTERVAL, "valueRange": limits},
        ],
        "code": own_concept(f"PTS-{location:02d}", words),
        "valueQuantity": decibel(float(np.float64(estimate.sensitivities_db[index]))),
    }


def _without_value(prediction: Prediction) -> Json:
    absent = {"system": _ABSENT_SYSTEM, "code": _ABSENT[outcome_of(prediction)]}
    reasons = " ".join(reason.message for reason in prediction.reasons)
    return {
        **_observation(prediction, _field(prediction)),
        "dataAbsentReason": {"coding": [absent], "text": reasons},
    }
