"""Webhooks as JSON."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.values import Moment
from core.webhooks import Subscription, WebhookState


class WebhookIn(BaseModel):
    """What to tell, and where."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=64)]
    url: Annotated[str, Field(max_length=2000, examples=["https://emr.example/arcuate"])]
    kinds: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Field(max_length=100, description="Kinds of change; empty: all."),
    ] = []
    after: Annotated[
        int | None,
        Field(
            ge=0,
            lt=2**31,
            description="Begin after the change of this number; left out: with what happens next.",
        ),
    ] = None

    def subscription(self) -> Subscription:
        """Return it as a value."""
        return Subscription(self.name, self.url, tuple(self.kinds), self.after)


class WebhookChangeIn(BaseModel):
    """What is to be otherwise."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool


class WebhookOut(BaseModel):
    """A webhook and how far it is."""

    name: str
    url: str
    kinds: list[str]
    enabled: bool
    created_at: Moment
    position: int = Field(description="Number of the last change that was told or passed over.")
    behind: int = Field(description="Changes that were not looked at yet.")
    waiting_since: Moment | None = Field(description="When the oldest change waiting happened.")
    delivered: int
    last_delivered_at: Moment | None
    failures: int = Field(description="Attempts that failed since the last success.")
    failing_since: Moment | None
    last_error: str


class WebhooksOut(BaseModel):
    """Every webhook, by its name."""

    items: list[WebhookOut]


class CreatedWebhookOut(WebhookOut):
    """A new webhook with its secret, which cannot be read again."""

    secret: str = Field(description="Signs each message; keep it now.")


def webhook_json(state: WebhookState) -> WebhookOut:
    """Return a webhook as JSON, without its secret."""
    return WebhookOut.model_validate(
        {
            **state.row.model_dump(include=set(WebhookOut.model_fields)),
            "behind": state.behind,
            "waiting_since": state.waiting_since,
        }
    )


def created_json(state: WebhookState) -> CreatedWebhookOut:
    """Return a new webhook as JSON, with its secret."""
    return CreatedWebhookOut(**webhook_json(state).model_dump(), secret=state.row.secret)
