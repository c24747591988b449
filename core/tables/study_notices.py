"""Study notices: what peers say of a study beside its objects (MPPS and IAN)."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class NoticeKind(StrEnum):
    """What told us."""

    #: Modality Performed Procedure Step.
    PROCEDURE_STEP = "procedure_step"
    #: Instance Availability Notification.
    INSTANCE_AVAILABILITY = "instance_availability"


class NoticeState(StrEnum):
    """How far the acquisition is, as the peer says."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    DISCONTINUED = "discontinued"


class StudyNoticeRow(SQLModel, table=True):
    """What one MPPS or IAN instance says of one study.

    `instances` are the SOP Instance UIDs it names; `taken_at` is when the study's summary took note
    of its end.
    """

    __tablename__ = "study_notices"

    sop_instance_uid: str = Field(primary_key=True)
    study_instance_uid: str = Field(primary_key=True, index=True)
    kind: str
    state: str
    instances: list[str] = Field(default_factory=list, sa_type=JsonValue)
    calling_ae_title: str = ""
    received_at: datetime = Field(sa_type=UtcDateTime)
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
