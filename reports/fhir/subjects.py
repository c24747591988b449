"""Whose result it is, of which eye, from which scan, by which model."""

from typing import Final

from core.values.prediction import Prediction
from reports.equipment import Equipment, device_uid
from reports.fhir.concepts import (
    DICOM,
    Json,
    own_concept,
    reference,
    side,
    snomed,
    uid_identifier,
)
from reports.page_words import display_name

_GENDERS: Final = {"M": "male", "F": "female", "O": "other"}
_MODALITY: Final = {True: "OP", False: "OPT"}


def patient(prediction: Prediction) -> Json:
    """Return the patient as the record knows them."""
    known = prediction.patient
    identifier: Json = {"value": known.patient_id}
    if known.issuer:
        identifier["assigner"] = {"display": known.issuer}
    resource: Json = {"resourceType": "Patient", "identifier": [identifier]}
    if known.name:
        resource["name"] = [_human_name(known.name)]
    if known.birth_date:
        resource["birthDate"] = known.birth_date.isoformat()
    if known.sex in _GENDERS:
        resource["gender"] = _GENDERS[known.sex]
    return resource


def _human_name(name: str) -> Json:
    family, *given = (part.strip() for part in name.split("=", maxsplit=1)[0].split("^"))
    named: Json = {"text": display_name(name)}
    if family:
        named["family"] = family
    if any(given[:2]):
        named["given"] = [part for part in given[:2] if part]
    return named


def eye(prediction: Prediction) -> Json:
    """Return the eye; without a side where that is unknown."""
    structure: Json = {
        "resourceType": "BodyStructure",
        "location": {"coding": [snomed("81745001", "Eye")]},
        "patient": reference("Patient", prediction.prediction_id),
    }
    if prediction.laterality is not None:
        structure["locationQualifier"] = [side(prediction.laterality)]
    return structure


def imaging_study(prediction: Prediction, sop_class_uid: str) -> Json:
    """Return the study, with the scan the result was made from."""
    source = prediction.source
    identifiers = [uid_identifier(source.study_instance_uid)]
    if source.accession_number:
        kind = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN"}
        identifiers.append({"type": {"coding": [kind]}, "value": source.accession_number})
    instance = {
        "uid": source.sop_instance_uid,
        "sopClass": {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{sop_class_uid}"},
    }
    modality = {"system": DICOM, "code": _MODALITY[prediction.is_of_photograph]}
    return {
        "resourceType": "ImagingStudy",
        "identifier": identifiers,
        "status": "available",
        "subject": reference("Patient", prediction.prediction_id),
        "series": [
            {"uid": source.series_instance_uid, "modality": modality, "instance": [instance]}
        ],
    }


def device(prediction: Prediction, equipment: Equipment) -> Json:
    """Return the service with this model: another device for other weights."""
    model = prediction.model
    return {
        "resourceType": "Device",
        "identifier": [uid_identifier(device_uid(model))],
        "manufacturer": equipment.manufacturer,
        "serialNumber": equipment.device_serial,
        "deviceName": [
            {"name": model.name, "type": "model-name"},
            {"name": equipment.model_name, "type": "user-friendly-name"},
        ],
        "type": own_concept("AIVF", "Software that estimates visual fields by machine learning"),
        "version": [
            {"type": {"text": "software"}, "value": equipment.software_version},
            {"type": {"text": "model"}, "value": model.version},
            {"type": {"text": "weights"}, "value": model.digest},
        ],
        "note": [{"text": prediction.notice}],
    }
