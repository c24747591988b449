"""`/v1/predictions/{id}/review`: accept, reject or amend, by whom and why."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from api.dependencies import NodeParameter
from api.rest.predictions import find_record
from api.schemas.problem import problems
from api.schemas.reviews import (
    ReviewIn,
    ReviewOut,
    ReviewRequestIn,
    ReviewRequestOut,
    ReviewsOut,
    request_json,
    review_json,
)
from api.security import CallerParameter
from core.clock import utc_now
from core.reviews import record_review, request_review, reviews_of, withdraw_request

ROUTER: Final = APIRouter(prefix="/v1/predictions/{prediction_id}", tags=["predictions"])

#: Who may ask for a review differs from who may give one.
REQUEST_PATH: Final = ROUTER.prefix + "/review-request"

_PROBLEMS: Final = problems(400, 403, 404, 409)


@ROUTER.post(
    "/review",
    summary="Accept, reject or amend",
    status_code=201,
    responses=_PROBLEMS,
)
def review_prediction(
    node: NodeParameter, caller: CallerParameter, prediction_id: str, review: ReviewIn
) -> ReviewOut:
    """Record a decision under the name of the caller's key; the last one holds, all are kept.

    A new structured report follows, which names the one before it.
    """
    with node.database.transaction() as session:
        kept = record_review(session, prediction_id, review.draft(caller.name), utc_now())
    answer = review_json(kept)
    assert answer is not None  # noqa: S101 - there is one
    return answer


@ROUTER.get("/reviews", summary="Every decision", responses=problems(404))
def list_reviews(node: NodeParameter, prediction_id: str) -> ReviewsOut:
    """Return the decisions about a prediction, the first one first."""
    with node.database.reading() as session:
        find_record(session, prediction_id)
        reviews = reviews_of(session, prediction_id)
    return ReviewsOut(items=[one for one in map(review_json, reviews) if one is not None])


@ROUTER.put("/review-request", summary="Ask for a review", responses=_PROBLEMS)
def ask_for_review(
    node: NodeParameter,
    caller: CallerParameter,
    prediction_id: str,
    request: ReviewRequestIn,
) -> ReviewRequestOut:
    """Ask that somebody looks at it; retention keeps its study until then."""
    with node.database.transaction() as session:
        row = request_review(session, prediction_id, caller.name, request.comment, utc_now())
    answer = request_json(row)
    assert answer is not None  # noqa: S101 - there is one
    return answer


@ROUTER.delete(
    "/review-request",
    summary="Ask for a review no more",
    status_code=204,
    response_class=Response,
    responses=problems(404),
)
def withdraw_review_request(node: NodeParameter, prediction_id: str) -> None:
    """Withdraw the request; nothing happens where there is none."""
    with node.database.transaction() as session:
        withdraw_request(session, prediction_id)
