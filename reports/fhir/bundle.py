"""A prediction as a FHIR R4 bundle: the report, its observations, and what they rest on."""

from typing import Final

from core.values.prediction import Prediction, PredictionStatus
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
from reports.fhir.observations import WITHHELD, observations
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
    is_withheld: bool = False,
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
    is_withheld
        Whether a person said that the numbers must not be used.

    Raises
    ------
    ReportError
        If the prediction contradicts itself.
    """
    name = prediction.prediction_id
    observed = observations(prediction, is_withheld)
    report = _report(prediction, list(observed), page_path)
    if is_withheld:
        report = _withheld(report, prediction)
    resources = {
        "DiagnosticReport": report,
        **{f"Observation/{part}": resource for part, resource in observed.items()},
        "Patient": patient(prediction),
        "BodyStructure": eye(prediction),
        "ImagingStudy": imaging_study(prediction, sop_class_uid),
        "Device": device(prediction, equipment),
        "Provenance": _provenance(prediction, list(observed)),
    }
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
        # Until a clinician signs.
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


def _withheld(report: Json, prediction: Prediction) -> Json:
    which = eye_words(prediction.laterality)[0]
    # The page was drawn before, with the numbers.
    kept = {name: value for name, value in report.items() if name != "presentedForm"}
    conclusion = f"{which}: {WITHHELD} {prediction.notice}"
    return {**kept, "status": "cancelled", "conclusion": conclusion}


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
