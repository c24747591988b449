"""A prediction as a FHIR R4 bundle: the report, its observations, and what they rest on."""

from typing import Final

from core.values.prediction import Prediction, PredictionStatus
from core.values.review import Review
from reports import codes
from reports.equipment import Equipment
from reports.fhir.concepts import (
    AI_ASSERTED,
    Json,
    full_url,
    own_concept,
    reference,
    snomed,
    uid_identifier,
)
from reports.fhir.observations import observations
from reports.fhir.sign_off import sign_off
from reports.fhir.subjects import device, eye, imaging_study, patient
from reports.field_words import HEADLINES, decibel_words
from reports.identifiers import sop_instance_uid
from reports.outcome import Outcome, outcome_of
from reports.page_words import banner_of, eye_words
from reports.report import ReportKind

_CATEGORY: Final = snomed("394594003", "Ophthalmology")
_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def build_bundle(
    prediction: Prediction,
    sop_class_uid: str,
    equipment: Equipment,
    page_path: str,
    review: Review | None = None,
) -> Json:
    """Return the bundle as JSON values; the same for the same arguments.

    Parameters
    ----------
    sop_class_uid
        Of the scan.
    equipment
        The service that reports.
    page_path
        Where the page of the result is, absolute or below the address of the bundle.
    review
        The last decision of a person about it; without one everything is preliminary.

    Raises
    ------
    ReportError
        If the prediction contradicts itself.
    """
    name = prediction.prediction_id
    observed = observations(prediction)
    resources = {
        "DiagnosticReport": _report(prediction, list(observed), page_path),
        **{f"Observation/{part}": resource for part, resource in observed.items()},
        "Patient": patient(prediction),
        "BodyStructure": eye(prediction),
        "ImagingStudy": imaging_study(prediction, sop_class_uid),
        "Device": device(prediction, equipment),
        "Provenance": _provenance(prediction, list(observed)),
    }
    if review is not None:
        sign_off(resources, review)
    return {
        "resourceType": "Bundle",
        "meta": {"security": [AI_ASSERTED]},
        "type": "collection",
        "timestamp": prediction.predicted_at.isoformat(),
        "entry": [
            {"fullUrl": full_url(kind, name), "resource": resource}
            for kind, resource in resources.items()
        ],
    }


def _report(prediction: Prediction, parts: list[str], page_path: str) -> Json:
    name = prediction.prediction_id
    title = codes.REPORT_TITLE
    report: Json = {
        "resourceType": "DiagnosticReport",
        "meta": {"security": [AI_ASSERTED]},
        "identifier": [uid_identifier(sop_instance_uid(name, ReportKind.STRUCTURED_REPORT))],
        # Until a person decides: see sign_off.
        "status": "preliminary",
        "category": [{"coding": [_CATEGORY]}],
        "code": own_concept(str(title.value), str(title.meaning)),
        "subject": reference("Patient", name),
        "issued": prediction.predicted_at.isoformat(),
        "result": [reference(f"Observation/{part}", name) for part in parts],
        "imagingStudy": [reference("ImagingStudy", name)],
        "conclusion": _conclusion(prediction),
        "presentedForm": [{"contentType": "application/pdf", "url": page_path}],
    }
    if prediction.acquired_at is not None:
        report["effectiveDateTime"] = prediction.acquired_at.isoformat()
    return report


def _conclusion(prediction: Prediction) -> str:
    which = eye_words(prediction.laterality)[0]
    outcome = outcome_of(prediction)
    if outcome is Outcome.ESTIMATED and prediction.deviations is not None:
        mean_deviation = decibel_words(prediction.deviations.mean_deviation_db)
        told = f"{which}: 24-2 visual field {banner_of(prediction)}. MD {mean_deviation}."
    else:
        told = f"{which}: {HEADLINES[outcome]}."
    is_replaced = prediction.status is PredictionStatus.SUPERSEDED
    replaced = "REPLACED by a later result. " if is_replaced else ""
    return f"{replaced}{told} {prediction.notice}"


def _provenance(prediction: Prediction, parts: list[str]) -> Json:
    name = prediction.prediction_id
    role = {"system": _PARTICIPANT, "code": "assembler", "display": "Assembler"}
    return {
        "resourceType": "Provenance",
        "target": [
            reference("DiagnosticReport", name),
            *(reference(f"Observation/{part}", name) for part in parts),
        ],
        "recorded": prediction.predicted_at.isoformat(),
        "activity": {"text": f"Estimation from {prediction.origin}, not a measurement"},
        "agent": [{"type": {"coding": [role]}, "who": reference("Device", name)}],
        "entity": [{"role": "source", "what": reference("ImagingStudy", name)}],
    }
