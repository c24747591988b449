"""What a decision that withholds numbers is called, and by whom and when it was made."""

from core.values.review import Review, ReviewDecision


def verdict_words(review: Review) -> str:
    """Return in capitals what became of a result whose numbers nobody must take any more."""
    if review.draft.decision is ReviewDecision.REJECT:
        return "REJECTED, NOT TO BE USED"
    return "NOT ASSESSABLE ACCORDING TO ITS REVIEW"


def marked_title(title: str, withheld: Review | None) -> str:
    """Return the title of a drawing, which programs read, with the verdict before it."""
    return title if withheld is None else f"{verdict_words(withheld)}: {title}"


def decided_words(review: Review) -> str:
    """Return by whom and when it was decided, and why where that is said."""
    decided = f"by {review.draft.reviewer} on {review.reviewed_at:%Y-%m-%d %H:%M %Z}"
    return f"{decided}: {review.draft.comment}" if review.draft.comment else decided
