"""The settings of what researchers see."""

from typing import Annotated

from pydantic import BaseModel, Field

#: A project's name goes into folders and pseudonyms.
PROJECT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


class ResearchSettings(BaseModel):
    """Under which pseudonyms researchers read results."""

    research_project: Annotated[
        str,
        Field(
            pattern=PROJECT_PATTERN,
            description="Project whose pseudonyms `/v1/research` and the page for researchers "
            "use; `arcuate export --project` of the same name gives the same ones.",
        ),
    ] = "research"
