"""Patients as JSON."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from urllib.parse import quote

from pydantic import BaseModel, Field

from core.tables.patients import PatientRow
from core.values.identity import PatientIdentity

MERGED_NOTE: Final = (
    "The Patient ID that was asked for belongs to a record that was merged into this one; "
    "`history` tells when and why."
)


class PatientOut(BaseModel):
    """A patient; a Patient ID is unique only beside its issuer."""

    patient_id: str = Field(examples=["SPEC-0001"])
    issuer: str | None = Field(description="Issuer of Patient ID; null where the study names none.")
    name: str = Field(description="DICOM Person Name.", examples=["Public^Circle"])
    birth_date: date | None
    sex: str | None = Field(examples=["F"])


class PatientLinks(BaseModel):
    """Where to go from a patient."""

    predictions: str
    studies: str
    history: str


class FormerIdOut(BaseModel):
    """A Patient ID that was another record's before it was merged into this one."""

    patient_id: str
    issuer: str | None


class PatientDetailOut(PatientOut):
    """A patient with the Patient IDs that find them, too."""

    former_ids: list[FormerIdOut] = Field(description="Those of the records merged into this one.")
    note: str | None = Field(
        description="Why another Patient ID is shown than was asked for; null where it is the same."
    )
    links: PatientLinks


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


def patient_detail(
    row: PatientRow, former: Sequence[PatientRow], asked_for: str
) -> PatientDetailOut:
    """Return a kept patient with the records merged into it.

    Parameters
    ----------
    asked_for
        The Patient ID that found the patient.
    """
    path, issuer = f"/v1/patients/{quote(row.patient_id, safe='')}", quote(row.issuer, safe="")
    return PatientDetailOut(
        **dict(patient_of_row(row)),
        former_ids=[FormerIdOut(patient_id=r.patient_id, issuer=r.issuer or None) for r in former],
        note=None if asked_for == row.patient_id else MERGED_NOTE,
        links=PatientLinks(
            predictions=f"{path}/predictions?issuer={issuer}",
            studies=f"/v1/studies?patient_id={quote(row.patient_id, safe='')}&issuer={issuer}",
            history=f"{path}/history?issuer={issuer}",
        ),
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
