"""Studies and their instances as JSON."""

from datetime import date

from pydantic import BaseModel, Field

from api.schemas.patients import PatientOut, patient_of_row
from api.schemas.summaries import SummaryOut
from api.schemas.values import Moment
from core.tables.instances import (
    InstanceOrigin,
    InstanceOutcome,
    InstanceRow,
    RemovalReason,
)
from core.tables.patients import PatientRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow


class StudyLinks(BaseModel):
    """Where to go from a study."""

    self: str
    instances: str
    predictions: str
    summary: str


class StudyOut(BaseModel):
    """A study as its first instance described it."""

    study_instance_uid: str
    study_id: str
    accession_number: str
    study_date: date | None
    study_time: str = Field(description="DICOM TM, in the clinic's own time.")
    study_description: str
    received_at: Moment
    patient: PatientOut
    links: StudyLinks


class StudyDetailOut(StudyOut):
    """A study with what is known of both eyes."""

    summary: SummaryOut | None = Field(
        description="The latest version; null for the moment until the study is taken note of."
    )


class InstanceOut(BaseModel):
    """An instance that is kept, and how its analysis ended."""

    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    modality: str
    instance_number: str
    laterality: str = Field(description="As the series says; empty where it does not.")
    digest: str = Field(description="SHA-256 of the data set as received, hex.")
    size_bytes: int
    origin: InstanceOrigin = Field(description="`received` from a peer, or `produced` by us.")
    outcome: InstanceOutcome = Field(
        description="`not_model_input`: a good object that no active model takes."
    )
    outcome_message: str = Field(description="Why it was not scored, for people; else empty.")
    received_at: Moment
    bytes_removed_at: Moment | None = Field(
        description="When retention removed its files; send it again to have them back."
    )
    removal_reason: RemovalReason | None = Field(
        description="`age` or `size`: what the retention settings bound."
    )
    predictions: list[str] = Field(description="Identifiers of the predictions made from it.")


def study_of_rows(study: StudyRow, patient: PatientRow) -> StudyOut:
    """Return a kept study as JSON."""
    path = f"/v1/studies/{study.study_instance_uid}"
    return StudyOut(
        study_instance_uid=study.study_instance_uid,
        study_id=study.study_id,
        accession_number=study.accession_number,
        study_date=study.study_date,
        study_time=study.study_time,
        study_description=study.study_description,
        received_at=study.received_at,
        patient=patient_of_row(patient),
        links=StudyLinks(
            self=path,
            instances=f"{path}/instances",
            predictions=f"{path}/predictions",
            summary=f"{path}/summary",
        ),
    )


def instance_of_rows(
    instance: InstanceRow, series: SeriesRow, prediction_ids: list[str]
) -> InstanceOut:
    """Return a kept instance as JSON."""
    return InstanceOut(
        series_instance_uid=series.series_instance_uid,
        sop_instance_uid=instance.sop_instance_uid,
        sop_class_uid=instance.sop_class_uid,
        transfer_syntax_uid=instance.transfer_syntax_uid,
        modality=series.modality,
        instance_number=instance.instance_number,
        laterality=series.laterality,
        digest=instance.digest,
        size_bytes=instance.size_bytes,
        origin=InstanceOrigin(instance.origin),
        outcome=InstanceOutcome(instance.outcome),
        outcome_message=instance.outcome_message,
        received_at=instance.received_at,
        bytes_removed_at=instance.bytes_removed_at,
        removal_reason=None
        if instance.removal_reason is None
        else RemovalReason(instance.removal_reason),
        predictions=prediction_ids,
    )
