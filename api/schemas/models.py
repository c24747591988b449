"""Models as JSON: which scores what."""

from pydantic import BaseModel, Field

from api.schemas.values import Moment
from core.model_choice import KnownModel
from core.tables.models import ModelState


class ModelOut(BaseModel):
    """One version of a model, pinned to its weights by the digest."""

    name: str
    version: str
    kind: str = Field(description="What it reads.", examples=["profile", "fundus"])
    state: ModelState = Field(
        description="`active`: scores what arrives of its kind; `shadow`: scores beside it, "
        "unseen; `retired`: out of use."
    )
    since: Moment | None = Field(description="When it was brought to the state that is recorded.")
    digest: str


def model_of(model: KnownModel, state: ModelState) -> ModelOut:
    """Return a model as JSON, in the state it really is in."""
    return ModelOut(
        name=model.identity.name,
        version=model.identity.version,
        kind=model.kind,
        state=state,
        since=model.since,
        digest=model.identity.digest,
    )
