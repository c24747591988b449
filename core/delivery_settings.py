"""The settings of how results are sent on."""

from typing import Annotated

from pydantic import BaseModel, Field


class DeliverySettings(BaseModel):
    """How patient `deliver` is with destinations."""

    delivery_workers: Annotated[
        int,
        Field(ge=1, le=16, description="Destinations one `deliver` process sends to at a time."),
    ] = 4
    delivery_attempts: Annotated[
        int,
        Field(
            ge=1,
            description="Attempts at one object, while others get through, before it is given up; "
            "a destination that is down is waited for without end.",
        ),
    ] = 8
    delivery_longest_pause_seconds: Annotated[
        float,
        Field(
            gt=0,
            description="Longest pause before a destination that is down is tried again; the pause "
            "doubles up to it.",
        ),
    ] = 600.0
    delivery_answer_seconds: Annotated[
        float,
        Field(gt=0, description="How long a destination may take to answer one object."),
    ] = 60.0
    delivery_commitment_seconds: Annotated[
        float,
        Field(
            gt=0,
            description="How long a destination may take to report storage commitment before it is "
            "asked again.",
        ),
    ] = 3600.0
    delivery_commitment_requests: Annotated[
        int,
        Field(
            ge=1,
            description="How often storage commitment is asked for before an object is shown as "
            "not committed.",
        ),
    ] = 3
