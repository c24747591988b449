"""Patients as JSON."""

from datetime import date

from pydantic import BaseModel, Field

from core.tables.patients import PatientRow
from core.values.identity import PatientIdentity


class PatientOut(BaseModel):
    """A patient; a Patient ID is unique only beside its issuer."""

    patient_id: str = Field(examples=["SPEC-0001"])
    issuer: str | None = Field(description="Issuer of Patient ID; null where the study names none.")
    name: str = Field(description="DICOM Person Name.", examples=["Public^Circle"])
    birth_date: date | None
    sex: str | None = Field(examples=["F"])


class ScannedPatientOut(PatientOut):
    """A patient at the time of a scan."""

    age_years: float | None = Field(description="Age at the scan; null where unknown.")


def patient_of_row(row: PatientRow) -> PatientOut:
    """Return a kept patient as JSON."""
    return PatientOut(
        patient_id=row.patient_id,
        issuer=row.issuer or None,
        name=row.name,
        birth_date=row.birth_date,
        sex=row.sex,
    )


def scanned_patient(patient: PatientIdentity, age_years: float | None) -> ScannedPatientOut:
    """Return a prediction's patient as JSON."""
    return ScannedPatientOut(
        patient_id=patient.patient_id,
        issuer=patient.issuer,
        name=patient.name,
        birth_date=patient.birth_date,
        sex=patient.sex,
        age_years=age_years,
    )
