"""Deciding about a result on its page."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from api.dependencies import NodeParameter
from api.errors import AmendmentNotMeant
from api.schemas.reviews import Amended, AmendedIndices, Decibel, ReviewIn, amendment_of
from api.security import CallerParameter
from core.clock import utc_now
from core.reviews import record_review, request_review
from core.values.review import ReviewDecision

ROUTER: Final = APIRouter(prefix="/predictions/{prediction_id}", include_in_schema=False)
#: Who may ask for a review differs from who may give one.
REQUEST_PATH: Final = ROUTER.prefix + "/review-request"

Comment = Annotated[str, Form(max_length=2000)]


def reviewed_on_page(
    decision: Annotated[ReviewDecision, Form()],
    comment: Comment = "",
    assessable: Annotated[bool | None, Form()] = None,
    mean_deviation: Annotated[Decibel | None, Form()] = None,
) -> ReviewIn:
    """Return the decision of a form.

    Raises
    ------
    RequestValidationError
        If something is missing.
    AmendmentNotMeant
        If what only an amendment says stands beside another decision.
    """
    indices = None
    if mean_deviation is not None:
        indices = AmendedIndices(mean_deviation=mean_deviation)
    amended = Amended(assessable=assessable, indices=indices)
    if decision is ReviewDecision.AMEND:
        return _checked({"decision": decision, "comment": comment, "amended": amended})
    if amendment_of(amended).is_empty:
        return _checked({"decision": decision, "comment": comment})
    # Whoever wrote another number does not mean that this one is right.
    raise AmendmentNotMeant


@ROUTER.post("/review")
def review_on_page(
    node: NodeParameter,
    caller: CallerParameter,
    prediction_id: str,
    review: Annotated[ReviewIn, Depends(reviewed_on_page)],
    seen: Annotated[int, Form(ge=0)],
) -> RedirectResponse:
    """Record a decision about what the page showed, and show the result again."""
    with node.database.transaction() as session:
        record_review(session, prediction_id, review.draft(caller.name), utc_now(), seen)
    return RedirectResponse(f"/predictions/{prediction_id}#review", 303)


@ROUTER.post("/review-request")
def ask_on_page(
    node: NodeParameter, caller: CallerParameter, prediction_id: str, comment: Comment = ""
) -> RedirectResponse:
    """Ask for a review and show the result again."""
    with node.database.transaction() as session:
        request_review(session, prediction_id, caller.name, comment.strip(), utc_now())
    return RedirectResponse(f"/predictions/{prediction_id}#review", 303)


def _checked(values: dict[str, object]) -> ReviewIn:
    try:
        return ReviewIn.model_validate(values)
    except ValidationError as error:
        # What is missing of a decision is what the person did not write.
        faults = [{**fault, "loc": ("body", "comment")} for fault in error.errors()]
        raise RequestValidationError(faults) from error
