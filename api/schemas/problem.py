"""A problem document, for the description of the API."""

from typing import Any, Final

from pydantic import BaseModel, Field


class ProblemError(BaseModel):
    """One parameter that is wrong."""

    parameter: str
    message: str


class Problem(BaseModel):
    """An error as RFC 9457 writes it."""

    type: str = Field(examples=["urn:arcuate:problem:record-not-found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no prediction with that id"])
    errors: list[ProblemError] | None = Field(default=None, description="Parameters to check.")
    conflicts: list[str] | None = Field(
        default=None, description="What two records of patients say differently."
    )
    issuers: list[str] | None = Field(default=None, description="Whose Patient IDs these are.")


_DESCRIPTIONS: Final = {
    400: "A parameter, or the body, cannot be understood",
    401: "No valid key or session",
    403: "The role of the caller does not allow it, or the form is not of our pages",
    404: "Nothing is kept under that identifier",
    406: "The answer comes in none of the forms that `Accept` names",
    408: "The body stopped coming",
    409: "What is asked for contradicts the record, as a Patient ID that several issuers use",
    410: "Retention removed the files",
    413: "The body, or every object in it, is too large",
    415: "Neither multipart/related of application/dicom nor one application/dicom",
    416: "The range lies beyond the end",
    422: "A parameter is unknown or out of range",
    501: "A library that this needs is not installed",
    429: "Too many requests; `Retry-After` says when to come back",
    503: "The database or the storage does not answer; try again",
    507: "There is no room to keep it",
}

#: What routes with an entity tag answer whoever has the answer already.
NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "`If-None-Match` names the answer: nothing changed"}
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of a route's errors, with those that can always happen."""
    return {
        status: {
            "description": _DESCRIPTIONS[status],
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
        for status in sorted({400, 401, 403, 422, 429, 503, *statuses})
    }
