"""Codes and references of the FHIR resources.

Own codes come first: no code of LOINC or SNOMED CT means "estimated". Nothing here claims the
visual field profile of HL7's eye care guide, whose codes stand for a measurement.
"""

from typing import Any, Final
from uuid import UUID, uuid5

from core.values.laterality import Laterality
from reports import codes
from reports.identifiers import derived_uid

Json = dict[str, Any]

SNOMED: Final = "http://snomed.info/sct"
UCUM: Final = "http://unitsofmeasure.org"
DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
DICOM_UID: Final = "urn:dicom:uid"
OWN: Final = f"urn:oid:{codes.SCHEME_UID}"

#: HL7's word for what an artificial intelligence asserted.
AI_ASSERTED: Final[Json] = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "AIAST",
    "display": "Artificial Intelligence asserted",
}

#: Extensions of ours, by derived identifiers: limits of the 90 % interval, and the place.
INTERVAL: Final = f"urn:oid:{derived_uid('fhir', 'interval-90-percent')}"
PLACE: Final = f"urn:oid:{derived_uid('fhir', 'place-as-the-patient-sees')}"
BODY_STRUCTURE: Final = "http://hl7.org/fhir/StructureDefinition/bodySite"

_SIDES: Final = codes.LATERALITY
_IDENTIFIERS: Final = UUID("b0f5a6d2-6d0c-5d0c-8c41-6a3e0f0f9f10")


def full_url(kind: str, prediction_id: str) -> str:
    """Return the name of a resource in its bundle: always the same for the same result."""
    return f"urn:uuid:{uuid5(_IDENTIFIERS, f'{kind}:{prediction_id}')}"


def reference(kind: str, prediction_id: str) -> Json:
    """Return a reference to a resource of the bundle; `kind` may end in what tells it apart."""
    resource_type = kind.split("/", maxsplit=1)[0]
    return {"reference": full_url(kind, prediction_id), "type": resource_type}


def own_concept(code: str, display: str, *more: Json) -> Json:
    """Return a concept of ours, with codes of others after it."""
    own = {"system": OWN, "code": code, "display": display}
    return {"coding": [own, *more], "text": display}


def snomed(code: str, display: str) -> Json:
    """Return a code of SNOMED CT."""
    return {"system": SNOMED, "code": code, "display": display}


def decibel(value: float) -> Json:
    """Return a value in dB to 0.01: finer than any meaning it has."""
    return {"value": round(value, 2) + 0.0, "unit": "dB", "system": UCUM, "code": "dB"}


def degree(value: float) -> Json:
    """Return a place in the field in degree."""
    return {"value": value, "unit": "degree", "system": UCUM, "code": "deg"}


def side(laterality: Laterality) -> Json:
    """Return the side of an eye as a concept."""
    code = _SIDES[laterality]
    return {"coding": [snomed(str(code.value), str(code.meaning))], "text": str(code.meaning)}


def uid_identifier(uid: str) -> Json:
    """Return a DICOM UID as FHIR writes it."""
    return {"system": DICOM_UID, "value": f"urn:oid:{uid}"}
