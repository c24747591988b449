"""What a person's decision changes in a bundle."""

from typing import Final

from core.values.review import Review, ReviewDecision
from reports.fhir.concepts import Json
from reports.field_words import decibel_words

_STATUS: Final = {
    ReviewDecision.ACCEPT: "final",
    ReviewDecision.AMEND: "amended",
    ReviewDecision.REJECT: "entered-in-error",
}
_WITHDRAWN: Final = "entered-in-error"
_WORDS: Final = {
    ReviewDecision.ACCEPT: "Accepted",
    ReviewDecision.AMEND: "AMENDED",
    ReviewDecision.REJECT: "REJECTED, not to be used",
}
_VERIFIER: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
    "code": "verifier",
    "display": "Verifier",
}
_ABSENT_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_NUMBERS: Final = ("valueQuantity", "component")


def sign_off(resources: dict[str, Json], review: Review) -> None:
    """Let the resources of a bundle say, in place, who decided what about the estimate.

    Where nobody must take the estimate's numbers any more they are left out, because a program may
    read a value and not its status.
    """
    told = _sentence(review)
    status = _WITHDRAWN if review.withholds_numbers else _STATUS[review.draft.decision]
    for resource in resources.values():
        match resource["resourceType"]:
            case "DiagnosticReport":
                resource["status"] = status
                resource["conclusion"] = f"{told} {resource['conclusion']}"
            case "Observation":
                resource["status"] = status
                resource["note"] = [{"text": told}, *resource["note"]]
                if review.withholds_numbers:
                    _withhold(resource, told)
            case "Provenance":
                who = {"type": {"coding": [_VERIFIER]}, "who": {"display": review.draft.reviewer}}
                resource["agent"].append(who)


def _withhold(observation: Json, told: str) -> None:
    for name in _NUMBERS:
        observation.pop(name, None)
    absent = {"system": _ABSENT_SYSTEM, "code": "error"}
    observation["dataAbsentReason"] = {"coding": [absent], "text": told}


def _sentence(review: Review) -> str:
    draft = review.draft
    words = (
        f"{_WORDS[draft.decision]} by {draft.reviewer} on {review.reviewed_at:%Y-%m-%d %H:%M %Z}"
    )
    amended = "; ".join(_amendments(review))
    return ". ".join(filter(None, (words, amended, draft.comment.rstrip(".")))) + "."


def _amendments(review: Review) -> list[str]:
    amendment = review.draft.amendment
    named = {
        "mean deviation": amendment.mean_deviation_db,
        "mean sensitivity": amendment.mean_sensitivity_db,
        "pattern standard deviation": amendment.pattern_standard_deviation_db,
    }
    told = [f"{name} {decibel_words(v)} instead" for name, v in named.items() if v is not None]
    if amendment.assessable is not None:
        told.append("assessable" if amendment.assessable else "not assessable")
    return told
