"""What an administrator looks at, as JSON: changes, jobs, refused callers, quarantine."""

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.values import Moment


class _FromRow(BaseModel):
    """Filled from the table row with the same names."""

    model_config = ConfigDict(from_attributes=True)


class ChangeOut(_FromRow):
    """Something that happened; `subject` says to what."""

    number: int
    kind: str = Field(examples=["prediction_recorded"])
    subject: str
    happened_at: Moment


class ChangesOut(BaseModel):
    """The feed after a number, without gaps, in the order of commits."""

    items: list[ChangeOut]
    next: str | None = Field(
        description="Pass it back as `after`; null when there is nothing more yet: "
        "go on after the last item's number."
    )


class JobOut(_FromRow):
    """A piece of work; `error` says why the last attempt failed."""

    id: int
    kind: str
    subject: str
    status: str
    priority: int
    attempts: int
    error: str | None
    worker: str | None
    created_at: Moment
    finished_at: Moment | None


class CallerOut(_FromRow):
    """A caller whose association was rejected."""

    calling_ae_title: str
    called_ae_title: str
    address: str
    reason: str
    count: int
    first_seen_at: Moment
    last_seen_at: Moment


class QuarantineOut(_FromRow):
    """An object kept aside, with its cause."""

    id: int
    code: str
    message: str
    calling_ae_title: str
    sop_class_uid: str
    sop_instance_uid: str
    size_bytes: int
    digest: str
    received_at: Moment
    dismissed_at: Moment | None = Field(
        description="When somebody said that it needs no more attention."
    )
    dismissed_by: str | None


class Health(BaseModel):
    """Whether the process lives, or each part it needs answers."""

    status: str = Field(examples=["ready"])
    checks: dict[str, str] = Field(default_factory=dict, examples=[{"database": "ready"}])
