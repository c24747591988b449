"""Whose eye, and which DICOM object it was read from."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class PatientIdentity:
    """A patient as the study names them; a Patient ID is unique only beside its issuer.

    Attributes
    ----------
    patient_id
        Patient ID (0010,0020).
    issuer
        Issuer of Patient ID (0010,0021), None where the study has none.
    name
        Patient's Name (0010,0010), components separated by `^`; empty where unknown.
    birth_date, sex
        (0010,0030) and (0010,0040); None where unknown.
    """

    patient_id: str
    issuer: str | None = None
    name: str = ""
    birth_date: date | None = None
    sex: str | None = None


@dataclass(frozen=True)
class InstanceIdentity:
    """The DICOM object a prediction was made from."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    accession_number: str = ""
