"""What a node sends, as it sends it: JSON objects, typed.

A node may send more than is named here; where `fields` were asked for, it sends less.
"""

from typing import Any, Literal, TypedDict

Laterality = Literal["R", "L"]
Status = Literal["final", "not_assessable", "failed", "superseded"]
Severity = Literal["early", "moderate", "severe"]
Form = Literal["dcm", "pdf", "svg", "png", "fhir.json"]
Decision = Literal["accept", "reject", "amend"]


class Patient(TypedDict):
    """A patient; a Patient ID is unique only beside its issuer."""

    patient_id: str
    issuer: str | None
    name: str
    birth_date: str | None
    sex: str | None


class FormerID(TypedDict):
    """A Patient ID from before a merge."""

    patient_id: str
    issuer: str | None


class PatientDetail(Patient):
    """A patient with the Patient IDs that find them, too."""

    former_ids: list[FormerID]
    note: str | None


class ScannedPatient(Patient):
    """A patient at the time of a scan."""

    age_years: float | None


class Device(TypedDict):
    """The device that took a scan."""

    manufacturer: str
    model: str
    serial_number: str


class Model(TypedDict):
    """The model that made a prediction."""

    name: str
    version: str
    digest: str


class Point(TypedDict):
    """One estimated point, dB; degrees as the patient sees them."""

    location: int
    x: float
    y: float
    sensitivity: float | None
    lower: float | None
    upper: float | None
    total_deviation: float | None
    pattern_deviation: float | None


class Indices(TypedDict):
    """Global indices, dB."""

    mean_sensitivity: float | None
    mean_deviation: float | None
    pattern_standard_deviation: float | None
    estimated_severity: Severity | None


class Rnfl(TypedDict):
    """Nerve fibre layer thickness, micrometre."""

    mean_um: float | None
    sectors_um: dict[str, float | None]
    profile_um: list[float | None]


class Reason(TypedDict):
    """Why there is no estimate."""

    code: str
    message: str


class Quality(TypedDict):
    """Whether the scan was good enough."""

    assessable: bool
    score: float | None
    reasons: list[Reason]


class Review(TypedDict):
    """A decision about an estimate."""

    number: int
    decision: Decision
    comment: str
    amended: dict[str, Any] | None
    reviewer: str
    reviewed_at: str


class Prediction(TypedDict):
    """An estimated 24-2 field of one eye, or the reasons why there is none. Never a measurement."""

    id: str
    status: Status
    estimated: Literal[True]
    notice: str
    patient: ScannedPatient
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    accession_number: str
    laterality: Laterality | None
    acquired_at: str | None
    received_at: str
    predicted_at: str
    device: Device
    model: Model
    pattern: str
    unit: str
    sensitivities: list[float | None] | None
    points: list[Point] | None
    indices: Indices | None
    scan_kind: str | None
    rnfl: Rnfl | None
    quality: Quality
    reasons: list[Reason]
    notes: list[str]
    review: Review | None
    supersedes: str | None
    superseded_by: str | None
    links: dict[str, str | None]


class Study(TypedDict):
    """A study as its first instance described it."""

    study_instance_uid: str
    study_id: str
    accession_number: str
    study_date: str | None
    study_time: str
    study_description: str
    received_at: str
    patient: Patient
    links: dict[str, str]


class Change(TypedDict):
    """Something that happened; `subject` says to what."""

    number: int
    kind: str
    subject: str
    happened_at: str


class IdentityChange(TypedDict):
    """What was corrected about who a patient is."""

    id: int
    kind: str
    reason: str
    source: str
    changed_by: str
    changed_at: str
    undoes: int | None
    undone_by: int | None


class PredictionFilters(TypedDict, total=False):
    """What predictions are searched for; every filter narrows.

    Dates are `YYYY-MM-DD` or RFC 3339 times.
    """

    patient_id: str
    issuer: str
    study_uid: str
    accession_number: str
    laterality: Laterality
    model: str
    status: Status
    acquired_from: str
    acquired_to: str
    received_from: str
    received_to: str
    predicted_from: str
    predicted_to: str
    mean_deviation_min: float
    mean_deviation_max: float
    severity: Severity
    manufacturer: str
    device_model: str
    device_serial_number: str
    fields: str


class PatientFilters(TypedDict, total=False):
    """What patients are searched for."""

    patient_id: str
    issuer: str
    name: str
    fields: str


class StudyFilters(TypedDict, total=False):
    """What studies are searched for."""

    accession_number: str
    patient_id: str
    issuer: str
    study_date_from: str
    study_date_to: str
    received_from: str
    received_to: str
    fields: str
