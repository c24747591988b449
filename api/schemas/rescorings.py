"""An order to score again, as JSON."""

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.predictions import ModelOut
from core.rescorings import RescoringCounts, RescoringModel


class RescoreIn(BaseModel):
    """With which model, and what becomes of its results."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(
        default=None,
        description="`NAME` or `NAME:VERSION`; the active one for OCT scans where it is left out.",
        max_length=200,
        examples=["retinervenet:2.1.0"],
    )
    shadow: bool = Field(
        default=False,
        description="Keep the results for comparison with those that stand, and report none.",
    )


class RescoringOut(BaseModel):
    """What waits to be scored again now."""

    model: ModelOut
    shadow: bool
    jobs: int = Field(description="Scans that were added; those it has scored already are not.")
    waiting: int = Field(description="Scans of the whole archive that wait for this model.")


def rescoring_of(model: RescoringModel, jobs: int, counts: RescoringCounts) -> RescoringOut:
    """Return an order as JSON."""
    identity = model.identity
    told = ModelOut(name=identity.name, version=identity.version, digest=identity.digest)
    return RescoringOut(model=told, shadow=model.is_shadow, jobs=jobs, waiting=counts.waiting)
