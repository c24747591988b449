"""Changes: the ordered, gap-free feed of what happened."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from core.tables.columns import UtcDateTime


class ChangeKind(StrEnum):
    """What happened; the change's subject is named in brackets."""

    INSTANCE_RECEIVED = "instance_received"  # SOP Instance UID
    INSTANCE_REPLACED = "instance_replaced"  # SOP Instance UID
    INSTANCE_QUARANTINED = "instance_quarantined"  # quarantine id
    PREDICTION_RECORDED = "prediction_recorded"  # prediction id
    BYTES_REMOVED = "bytes_removed"  # SOP Instance UID; by retention
    BYTES_KEPT_AGAIN = "bytes_kept_again"  # SOP Instance UID; sent again after that
    QUARANTINE_REMOVED = "quarantine_removed"  # quarantine id; by retention
    REVIEW_REQUESTED = "review_requested"  # prediction id
    REVIEW_WITHDRAWN = "review_withdrawn"  # prediction id
    PREDICTION_REVIEWED = "prediction_reviewed"  # prediction id
    REPORT_KEPT = "report_kept"  # SOP Instance UID
    MEASURED_FIELD_RECORDED = "measured_field_recorded"  # measured field id
    JOB_FAILED = "job_failed"  # job id
    CALLER_REFUSED = "caller_refused"  # calling AE title
    STUDY_SETTLED = "study_settled"  # Study Instance UID
    STUDY_REOPENED = "study_reopened"  # Study Instance UID
    DEVICE_SILENT = "device_silent"  # AE title of the peer
    DEVICE_BACK = "device_back"  # AE title of the peer
    REPORT_DELIVERED = "report_delivered"  # delivery id
    REPORT_COMMITTED = "report_committed"  # delivery id; the destination keeps it
    IDENTITY_CHANGED = "identity_changed"  # number of the identity change
    DELIVERY_GAVE_UP = "delivery_gave_up"  # delivery id


class ChangeRow(SQLModel, table=True):
    """One change. `number` counts from 1 without gaps in the order of commits."""

    __tablename__ = "changes"

    number: int = Field(primary_key=True)
    kind: str
    subject: str
    happened_at: datetime = Field(sa_type=UtcDateTime)


class ChangeCounterRow(SQLModel, table=True):
    """The last number given out: a sequence of the database would leave gaps at each rollback."""

    __tablename__ = "change_counter"

    id: int = Field(primary_key=True)
    last: int
