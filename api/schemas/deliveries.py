"""Deliveries, destinations and rules as JSON; a secret is in none of them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.values import Moment
from core.deliveries.listing import DeliveryRecord, as_dict
from core.deliveries.overview import Overview
from core.tables.destinations import DeliveryRuleRow, DestinationRow


class DeliveryOut(BaseModel):
    """One report on its way to one destination; `error` says why it is not there."""

    id: int
    destination: str
    report_kind: str = Field(examples=["sr"])
    study_instance_uid: str
    sop_instance_uid: str
    sent_sop_class_uid: str | None = Field(
        description="What arrived: another class, and then another UID, where the destination "
        "takes only that."
    )
    sent_sop_instance_uid: str | None
    state: str = Field(examples=["waiting", "sending", "delivered", "committed", "gave_up"])
    attempts: int
    error: str | None
    commitment: str | None = Field(
        description="What the destination says of keeping it: asked, committed, not_committed; "
        "null where it is not asked."
    )
    created_at: Moment
    delivered_at: Moment | None
    committed_at: Moment | None
    gave_up_at: Moment | None
    dismissed_at: Moment | None


class DestinationOut(BaseModel):
    """A place results are sent to."""

    name: str
    kind: str = Field(examples=["dicom_peer", "stow_rs", "folder"])
    address: str
    options: dict[str, Any]
    has_secret: bool
    learned: dict[str, Any] = Field(description="What was found out about it, as what it takes.")
    enabled: bool
    circuit: str = Field(
        description="closed: it answers; open: it is left alone until `retry_at`; half_open: it is "
        "being tried."
    )
    failures: int
    waiting: int
    gave_up: int
    retry_at: Moment | None
    last_success_at: Moment | None
    last_error: str | None
    last_error_at: Moment | None
    added_at: Moment


class RuleIn(BaseModel):
    """Which results go to a destination; what is empty is true of all."""

    model_config = ConfigDict(extra="forbid")

    destination: Annotated[str, Field(max_length=64)]
    statuses: Annotated[list[str], Field(max_length=8)] = []
    model: Annotated[str, Field(max_length=128, description="NAME or NAME:VERSION")] = ""
    laterality: Annotated[str, Field(max_length=1, description="R or L")] = ""
    report_kinds: Annotated[list[str], Field(max_length=16)] = []


class RuleOut(RuleIn):
    """A rule that holds."""

    id: int
    added_at: Moment


class CountOut(BaseModel):
    """How many it was."""

    count: int


def delivery_out(record: DeliveryRecord) -> DeliveryOut:
    """Return a delivery as JSON."""
    return DeliveryOut.model_validate(as_dict(record))


def destination_out(overview: Overview) -> DestinationOut:
    """Return a destination as JSON."""
    return DestinationOut.model_validate(overview.as_dict())


def rule_out(rule: DeliveryRuleRow, destination: DestinationRow) -> RuleOut:
    """Return a rule as JSON."""
    return RuleOut.model_validate(
        {**rule.model_dump(exclude={"destination_id"}), "destination": destination.name}
    )
