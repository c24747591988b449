"""The settings of what is written of each result."""

from typing import Annotated

from pydantic import BaseModel, Field


class ReportSettings(BaseModel):
    """Structured report, picture and page are always written."""

    text_reports: Annotated[
        bool,
        Field(
            description="Write each result as a text report (Enhanced SR) too, for viewers that "
            "print no numbers."
        ),
    ] = False
