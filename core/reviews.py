"""The record of reviews: decisions are added, and the last one holds."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import ColumnElement, SQLColumnExpression, exists, func, or_
from sqlmodel import Session, col, select

from core import ledger
from core.changes import append_change
from core.deliveries.letting_go import let_withheld_go
from core.errors import NodeError, RecordNotFound
from core.recall import withdraw
from core.tables.changes import ChangeKind
from core.tables.jobs import JobKind
from core.tables.predictions import PredictionRow
from core.tables.reviews import ReviewRequestRow, ReviewRow
from core.values.prediction import PredictionStatus
from core.values.review import Amendment, Review, ReviewDecision, ReviewDraft

#: What can be reviewed: an answer that stands.
_REVIEWABLE: Final = (PredictionStatus.FINAL, PredictionStatus.NOT_ASSESSABLE)


class NotReviewable(NodeError):
    """Only a result that stands can be reviewed, no failure and none that was replaced."""


class ReviewedMeanwhile(NodeError):
    """Somebody decided about this result since it was shown: read that first, then decide."""


def record_review(
    session: Session,
    prediction_id: str,
    draft: ReviewDraft,
    reviewed_at: datetime,
    seen: int | None = None,
) -> Review:
    """Record a decision in the caller's transaction, with the job of its report.

    Parameters
    ----------
    seen
        How many reviews whoever decides has seen; None where nothing tells.

    Raises
    ------
    RecordNotFound
        If there is no such prediction.
    NotReviewable
        If it failed or was replaced.
    ReviewedMeanwhile
        If there are others than those that were seen.
    """
    row = _find_reviewable(session, prediction_id)
    former = reviews_of(session, prediction_id)
    if seen is not None and seen != len(former):
        raise ReviewedMeanwhile
    review = Review(str(uuid4()), row.id, len(former) + 1, draft, reviewed_at)
    session.add(_row_of(review))
    _forget_request(session, prediction_id)
    session.flush()
    if review.withholds_numbers:
        let_withheld_go(session, prediction_id, reviewed_at)
    ledger.enqueue(session, JobKind.REPORT_REVIEW, review.review_id)
    append_change(session, ChangeKind.PREDICTION_REVIEWED, prediction_id)
    return review


def request_review(
    session: Session, prediction_id: str, requested_by: str, comment: str, at: datetime
) -> ReviewRequestRow:
    """Ask for a review in the caller's transaction; asked for already, the first request stands.

    Raises
    ------
    RecordNotFound, NotReviewable
        As `record_review`.
    """
    _find_reviewable(session, prediction_id)
    known = session.get(ReviewRequestRow, prediction_id)
    if known is not None:
        return known
    row = ReviewRequestRow(
        prediction_id=prediction_id, requested_by=requested_by, comment=comment, requested_at=at
    )
    session.add(row)
    session.flush()
    append_change(session, ChangeKind.REVIEW_REQUESTED, prediction_id)
    return row


def withdraw_request(session: Session, prediction_id: str) -> None:
    """Ask for no review any more; nothing happens where none was asked for.

    Raises
    ------
    RecordNotFound
        If there is no such prediction.
    """
    _find(session, prediction_id)
    if _forget_request(session, prediction_id):
        session.flush()
        append_change(session, ChangeKind.REVIEW_WITHDRAWN, prediction_id)


def reviews_of(session: Session, prediction_id: str) -> list[Review]:
    """Return the decisions about a prediction, the first one first."""
    statement = select(ReviewRow).where(col(ReviewRow.prediction_id) == prediction_id)
    rows = session.exec(statement.order_by(col(ReviewRow.number))).all()
    return [_review_of(row) for row in rows]


def last_reviews(session: Session, prediction_ids: Sequence[str]) -> dict[str, Review]:
    """Return the decision that holds for each of these predictions that has one."""
    statement = select(ReviewRow).where(col(ReviewRow.prediction_id).in_(prediction_ids))
    rows = session.exec(statement.order_by(col(ReviewRow.number))).all()
    return {row.prediction_id: _review_of(row) for row in rows}


def withheld_predictions(session: Session, prediction_ids: Sequence[str]) -> set[str]:
    """Return which of these predictions have numbers that nobody may take any more."""
    held = last_reviews(session, prediction_ids)
    return {prediction_id for prediction_id, last in held.items() if last.withholds_numbers}


def withheld(prediction_id: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """Return the condition that a prediction's numbers are nobody's to take any more."""
    of_it = col(ReviewRow.prediction_id) == prediction_id
    last = select(func.max(ReviewRow.number)).where(of_it).correlate_except(ReviewRow)
    is_last = col(ReviewRow.number) == last.scalar_subquery()
    assessable = col(ReviewRow.amended)["assessable"].as_boolean()
    takes = or_(col(ReviewRow.decision) == ReviewDecision.REJECT, assessable.is_(False))
    return exists().where(of_it, is_last, takes)


def let_replaced_go(session: Session, prediction_ids: Sequence[str]) -> list[str]:
    """Ask for no review of predictions that were replaced, and for no report of one.

    Returns
    -------
    list of str
        Those of which a review was asked for: `REVIEW_WITHDRAWN` is the caller's to tell, last.
    """
    decided = select(ReviewRow.id).where(col(ReviewRow.prediction_id).in_(prediction_ids))
    withdraw(session, JobKind.REPORT_REVIEW, session.exec(decided).all())
    return [name for name in prediction_ids if _forget_request(session, name)]


def open_requests(session: Session, prediction_ids: Sequence[str]) -> dict[str, ReviewRequestRow]:
    """Return the open request of each of these predictions that has one."""
    wanted = col(ReviewRequestRow.prediction_id).in_(prediction_ids)
    rows = session.exec(select(ReviewRequestRow).where(wanted)).all()
    return {row.prediction_id: row for row in rows}


def is_reviewable(status: str) -> bool:
    """Whether a prediction that stands so can be reviewed."""
    return status in _REVIEWABLE


def load_review(session: Session, review_id: str) -> Review:
    """Return one decision.

    Raises
    ------
    RecordNotFound
        If there is none with that identifier.
    """
    row = session.get(ReviewRow, review_id)
    if row is None:
        raise RecordNotFound("There is no review with that id")
    return _review_of(row)


def _find(session: Session, prediction_id: str) -> PredictionRow:
    # Locked, so that of two people who decide at once one is the second. A report may refer to it
    # meanwhile: whoever keeps one has the number of a change already, for which we are to wait.
    row = session.get(PredictionRow, prediction_id, with_for_update={"key_share": True})
    if row is None:
        raise RecordNotFound("There is no prediction with that id")
    return row


def _find_reviewable(session: Session, prediction_id: str) -> PredictionRow:
    row = _find(session, prediction_id)
    if not is_reviewable(row.status):
        raise NotReviewable
    return row


def _forget_request(session: Session, prediction_id: str) -> bool:
    row = session.get(ReviewRequestRow, prediction_id)
    if row is None:
        return False
    session.delete(row)
    return True


def _row_of(review: Review) -> ReviewRow:
    draft = review.draft
    said = {name: value for name, value in asdict(draft.amendment).items() if value is not None}
    return ReviewRow(
        id=review.review_id,
        prediction_id=review.prediction_id,
        number=review.number,
        decision=draft.decision,
        comment=draft.comment,
        amended=said,
        reviewer=draft.reviewer,
        reviewed_at=review.reviewed_at,
    )


def _review_of(row: ReviewRow) -> Review:
    draft = ReviewDraft(
        ReviewDecision(row.decision), row.reviewer, row.comment, Amendment(**row.amended)
    )
    return Review(row.id, row.prediction_id, row.number, draft, row.reviewed_at)
