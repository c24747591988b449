"""An entry of the audit trail, as JSON."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.values import Moment


class AuditEntryOut(BaseModel):
    """One act: who, what, on what, of whom, with what outcome, and its place in the chain."""

    model_config = ConfigDict(from_attributes=True)

    number: int = Field(description="Counts from 1 without gaps.")
    at: Moment
    actor: str = Field(description="A key or user, an AE title, an account, a process of the node.")
    actor_role: str
    address: str = Field(description="Where they called from; empty on the node's own machine.")
    action: str = Field(examples=["read"])
    object_kind: str = Field(examples=["prediction"])
    object_id: str
    patients: list[int] = Field(description="Keys of the patients, as in their pages' addresses.")
    outcome: str = Field(examples=["success"])
    detail: dict[str, Any] = Field(description="Names of routes and filters, UIDs and counts.")
    previous: str = Field(description="Digest of the entry before.")
    digest: str = Field(description="SHA-256, or HMAC-SHA-256 where `keyed`, hex.")
    keyed: bool
    receipt: int | None
    purged_to: int | None = Field(description="By the marker of a purge: entries up to it went.")
