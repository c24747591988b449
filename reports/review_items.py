"""The content items of a review: TID 1500, Qualitative Evaluations."""

from collections.abc import Iterator
from typing import Final

from highdicom.sr import (
    CodeContentItem,
    CodedConcept,
    ContainerContentItem,
    ContentItem,
    ContentSequence,
    PnameContentItem,
    RelationshipTypeValues,
    TextContentItem,
)

from core.values.review import Amendment, Review
from reports import codes, review_codes

_CONTAINS: Final = RelationshipTypeValues.CONTAINS
_CONTEXT: Final = RelationshipTypeValues.HAS_OBS_CONTEXT
#: PS3.5 PN: a component group has 64 characters at most, and these mean something else.
_LONGEST_NAME: Final = 64
_NOT_IN_NAMES: Final = str.maketrans({"\\": " ", "=": " "})
_INDICES: Final = {
    "mean_deviation_db": "Mean deviation",
    "mean_sensitivity_db": "Mean sensitivity",
    "pattern_standard_deviation_db": "Pattern standard deviation",
}


def evaluation_items(review: Review) -> ContainerContentItem:
    """Return the container that says who decided what."""
    container = ContainerContentItem(
        name=review_codes.QUALITATIVE_EVALUATIONS, relationship_type=_CONTAINS
    )
    container.ContentSequence = ContentSequence(list(_items(review)))
    return container


def person_name(reviewer: str) -> str:
    """Return the name of a key as a Person Name; of one part, it counts as the family name."""
    name = " ".join(reviewer.translate(_NOT_IN_NAMES).split())
    return name[:_LONGEST_NAME] if "^" in name else f"{name[: _LONGEST_NAME - 1]}^"


def _items(review: Review) -> Iterator[ContentItem]:
    draft = review.draft
    yield CodeContentItem(review_codes.OBSERVER_TYPE, review_codes.PERSON, _CONTEXT)
    yield PnameContentItem(review_codes.PERSON_NAME, person_name(draft.reviewer), _CONTEXT)
    yield CodeContentItem(
        review_codes.REVIEW_DECISION, review_codes.DECISIONS[draft.decision], _CONTAINS
    )
    if draft.comment:
        yield _text(codes.COMMENT, draft.comment)
    yield from _amended(draft.amendment)


def _amended(amendment: Amendment) -> Iterator[ContentItem]:
    if amendment.assessable is not None:
        words = "Assessable" if amendment.assessable else "Not assessable"
        yield _text(review_codes.AMENDED_ASSESSABILITY, words)
    for name, words in _INDICES.items():
        value: float | None = getattr(amendment, name)
        if value is not None:
            # As text: a person's number is no estimate of ours, and must not be read as one.
            yield _text(review_codes.AMENDED_INDEX, f"{words} {value:+.2f} dB")


def _text(name: CodedConcept, value: str) -> TextContentItem:
    return TextContentItem(name, value, _CONTAINS)
