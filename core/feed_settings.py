"""The settings of the change feed: who may listen, and where it may be posted."""

from typing import Annotated

from pydantic import BaseModel, Field


class FeedSettings(BaseModel):
    """Limits of server-sent events and of webhooks."""

    event_streams: Annotated[
        int,
        Field(
            ge=0,
            description="Clients that may listen to /v1/events at a time, in each HTTP process.",
        ),
    ] = 100
    webhook_allow_http: Annotated[
        bool,
        Field(description="Whether webhooks may have an http:// address on another machine."),
    ] = False
    webhook_ca: Annotated[
        str,
        Field(
            description="PEM file of authorities that webhooks' certificates may be signed by, "
            "besides those of the system."
        ),
    ] = ""
    webhook_timeout_seconds: Annotated[
        float, Field(gt=0, le=60, description="How long a webhook's silence is waited for.")
    ] = 10.0
