"""Field selection: `fields=id,indices.mean_deviation` leaves the rest of an answer out."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeVar, get_args

from fastapi import Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.errors import ParameterInvalid
from api.schemas.listing import Listing

Item = TypeVar("Item", bound=BaseModel)
#: What is included, name by name, as pydantic takes it.
Included = dict[str, Any]

#: A name that is repeated in an error: of no other form a name of a field can be.
_NAME: Final = re.compile(r"[a-z_0-9.]{1,64}")
_OF_EACH: Final = "__all__"

Fields = Annotated[
    str | None,
    Field(
        max_length=2000,
        description="Only these fields, separated by commas; a dot leads into one.",
        examples=["id,laterality,indices.mean_deviation"],
    ),
]


#: The same as a parameter of a route that answers with one item.
OneFields = Annotated[
    str | None,
    Query(
        max_length=2000,
        description="Only these fields, separated by commas; a dot leads into one.",
    ),
]


def one(item: Item, fields: str | None) -> Item | JSONResponse:
    """Return an item, or the fields of it that were asked for.

    Raises
    ------
    ParameterInvalid
        If it has no such field; the message names it.
    """
    if fields is None:
        return item
    included = parse_fields(fields, type(item))
    return JSONResponse(item.model_dump(mode="json", include=included))


def page(
    listing: Listing[Item], fields: str | None, kind: type[Item]
) -> Listing[Item] | JSONResponse:
    """Return a page of a list, or the fields of its items that were asked for.

    Raises
    ------
    ParameterInvalid
        As `one`.
    """
    if fields is None:
        return listing
    included = parse_fields(fields, kind)
    items = [item.model_dump(mode="json", include=included) for item in listing.items]
    return JSONResponse({"items": items, "next": listing.next})


def parse_fields(fields: str, kind: type[BaseModel]) -> Included:
    """Return what of a model is included.

    Raises
    ------
    ParameterInvalid
        If it has no field of that name.
    """
    included: Included = {}
    for path in fields.split(","):
        _include(included, kind, path.strip(), path.strip().split("."))
    return included


def _include(included: Included, kind: type[BaseModel], path: str, names: Sequence[str]) -> None:
    name, rest = names[0], names[1:]
    field = kind.model_fields.get(name)
    if field is None:
        raise _unknown(path)
    if not rest:
        included[name] = True
        return
    inner, is_many = _model_in(field.annotation)
    if inner is None:
        raise _unknown(path)
    below = included.setdefault(name, {})
    if below is True:
        # The whole of it was asked for before.
        return
    _include(below.setdefault(_OF_EACH, {}) if is_many else below, inner, path, rest)


def _model_in(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the model a field holds, and whether many of it; None where it holds plain values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for part in get_args(annotation):
        inner, is_many = _model_in(part)
        if inner is not None:
            return inner, is_many or getattr(annotation, "__origin__", None) is list
    return None, False


def _unknown(path: str) -> ParameterInvalid:
    # Only what looks like a name is repeated: anything else might be of a patient.
    named = f" {path}" if _NAME.fullmatch(path) else ""
    return ParameterInvalid("fields", f"names a field that there is not:{named or ' (no name)'}")
