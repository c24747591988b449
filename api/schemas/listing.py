"""A list in pages."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")


class Listing(BaseModel, Generic[Item]):
    """One page of a list; `next` is the cursor of the following page, null on the last."""

    items: list[Item]
    next: str | None = Field(description="Pass it back as `cursor`; null on the last page.")


class PageQuery(BaseModel):
    """Which page; a parameter that is not known is refused, for a typing error widens a search."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=500, description="Most items on one page.")] = 50
    cursor: Annotated[
        str | None, Field(max_length=512, description="`next` of the page before.")
    ] = None
