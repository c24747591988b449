"""The settings of what is kept, and for how long."""

from typing import Annotated

from pydantic import BaseModel, Field


class RetentionSettings(BaseModel):
    """When files are removed; none is by default."""

    retention_days: Annotated[
        int,
        Field(
            ge=0,
            le=36500,
            description="Days the files of a study are kept after its last one came; 0: for ever. "
            "Results and reports stay.",
        ),
    ] = 0
    retention_gib: Annotated[
        int,
        Field(
            ge=0,
            description="Size above which the oldest studies' files are removed, GiB; 0: no bound.",
        ),
    ] = 0
    quarantine_days: Annotated[
        int,
        Field(ge=0, le=36500, description="Days an object stays in quarantine; 0: for ever."),
    ] = 0
    scoring_job_days: Annotated[
        int,
        Field(
            ge=1,
            le=3650,
            description="Days a finished job of the Watson-compatible API is kept, with what it "
            "was given and what came of it.",
        ),
    ] = 7
