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
