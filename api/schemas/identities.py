"""Corrections of who is who as JSON: what comes in, and their history."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.patients import PatientOut, patient_of_row
from api.schemas.values import Moment
from core.tables.identity_changes import ChangeSource, IdentityChangeKind, IdentityChangeRow
from core.tables.patients import PatientRow

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    Field(description="Why; it stays in the history."),
]
#: An LO of DICOM has 64 characters; what is longer is kept as it came.
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PatientNameIn(_In):
    """Which patient."""

    patient_id: Identifier
    issuer: str | None = Field(
        default=None, max_length=256, description="Where several use the ID; empty: none."
    )


class MergeIn(_In):
    """What the patient of the path is merged into."""

    into: PatientNameIn
    reason: Reason
    force: bool = Field(default=False, description="Although sex or birth date of the two differ.")


class MoveIn(_In):
    """Whose a study is."""

    to: PatientNameIn
    reason: Reason
    force: bool = Field(default=False, description="Although sex or birth date of the two differ.")
    create: bool = Field(
        default=False,
        description="Make the patient, called as the study's patient is now, where there is none.",
    )


class UndoIn(_In):
    """Why a change is taken back."""

    reason: Reason


class PatientValuesOut(BaseModel):
    """What of a patient was corrected."""

    name: str
    birth_date: date | None
    sex: str | None


class IdentityChangeOut(BaseModel):
    """One correction."""

    id: int
    kind: IdentityChangeKind
    patient: PatientOut = Field(description="Whose what is named is since.")
    from_patient: PatientOut | None = Field(description="Whose it was before.")
    study_instance_uid: str | None = Field(description="The study that was moved.")
    studies: int | None = Field(description="How many studies came along in a merge.")
    before: PatientValuesOut | None = Field(description="What a patient's record said before.")
    after: PatientValuesOut | None
    reason: str
    source: ChangeSource
    changed_by: str = Field(description="AE title of a peer, or name of a person's key.")
    changed_at: Moment
    undoes: int | None = Field(description="The change this one took back.")
    undone_by: int | None = Field(description="The change that took this one back.")


def change_json(
    row: IdentityChangeRow,
    patients: Mapping[int, PatientRow],
    study_uids: Mapping[int, str],
    undone_by: int | None,
) -> IdentityChangeOut:
    """Return a correction as JSON.

    Parameters
    ----------
    patients, study_uids
        Those it names, by key.
    """
    former = None if row.from_patient_key is None else patients[row.from_patient_key]
    before, after = row.details.get("before"), row.details.get("after")
    studies = row.details.get("studies")
    return IdentityChangeOut(
        id=row.id or 0,
        kind=IdentityChangeKind(row.kind),
        patient=patient_of_row(patients[row.patient_key]),
        from_patient=None if former is None else patient_of_row(former),
        study_instance_uid=None if row.study_key is None else study_uids[row.study_key],
        studies=None if studies is None else len(studies),
        before=None if before is None else PatientValuesOut(**before),
        after=None if after is None else PatientValuesOut(**after),
        reason=row.reason,
        source=ChangeSource(row.source),
        changed_by=row.changed_by,
        changed_at=row.changed_at,
        undoes=row.undoes,
        undone_by=undone_by,
    )
