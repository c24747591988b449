"""The settings of queries: how much one of them may find."""

from typing import Annotated

from pydantic import BaseModel, Field


class QuerySettings(BaseModel):
    """Limits of C-FIND and QIDO-RS."""

    query_maximum_matches: Annotated[
        int,
        Field(
            ge=1,
            le=10_000_000,
            description="Matches a C-FIND is answered with at most; more end with status B001.",
        ),
    ] = 100_000
    query_strict: Annotated[
        bool,
        Field(
            description="Whether a C-FIND must name the study, and the series, its level is below; "
            "else status A900."
        ),
    ] = False
    qido_maximum_results: Annotated[
        int,
        Field(
            ge=1,
            le=1_000_000,
            description="Results of a QIDO-RS request at most; a larger `limit` is cut to it.",
        ),
    ] = 1000
