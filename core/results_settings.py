"""The settings of what stands beside a result."""

from typing import Annotated

from pydantic import BaseModel, Field


class ResultsSettings(BaseModel):
    """What an estimate is shown with, and who reviews it."""

    agreement_months: Annotated[
        int,
        Field(
            ge=0,
            le=120,
            description="How many months before or after a scan a measured field may lie to be "
            "compared with its estimate; 0: none is.",
        ),
    ] = 12
    organization: Annotated[
        str,
        Field(
            max_length=64,
            description="Name of the organization whose people review results, for Verifying "
            "Organization of the reports; empty: the institution that the scan names.",
        ),
    ] = ""
