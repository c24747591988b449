"""How the lists people search and act on read, as filters of their templates."""

from collections.abc import Callable
from typing import Any, Final

from api.dashboard import device_words, queue_words, trend_shapes, trend_words, words
from api.dashboard.translation import gettext, to_translate
from api.dashboard.words import UNKNOWN
from core.trends.result import Index
from dicom_node.callers import Refusal

#: Half the size of the drawing in which a run's shape stands.
_KEY_CENTRE: Final = 8.0
_REFUSAL_WORDS: Final = {
    Refusal.CALLING_AE_TITLE_NOT_RECOGNISED: to_translate("Not known at this address"),
    Refusal.CALLED_AE_TITLE_NOT_RECOGNISED: to_translate("Called another AE title than ours"),
    Refusal.CERTIFICATE_MISSING: to_translate("Showed no certificate"),
    Refusal.CERTIFICATE_NOT_RECOGNISED: to_translate("Showed another certificate"),
    Refusal.TOO_MANY_ASSOCIATIONS: to_translate("All associations were taken"),
    Refusal.TOO_MANY_ASSOCIATIONS_OF_PEER: to_translate("Had too many associations open"),
}


def run_outline(run: int) -> str:
    """Return the outline of the shape that stands for a run, in a drawing of 16 by 16."""
    return trend_shapes.outline(trend_shapes.shape_of(run), _KEY_CENTRE, _KEY_CENTRE)


def trend_value(number: float | None, index: str) -> str:
    """Return a value of an index named by its word."""
    return trend_words.value(number, Index(index))


def refusal(reason: str) -> str:
    """Return why a caller was refused; the record's own word where that is of a later version."""
    try:
        return gettext(_REFUSAL_WORDS[Refusal(reason)])
    except ValueError:
        return reason


def percent(share: float | None) -> str:
    """Return a share as a whole percentage."""
    return UNKNOWN if share is None else f"{share * 100:.0f} %"


def number(value: float | None, digits: int = 1) -> str:
    """Return a number with so many digits behind the point."""
    if value is None:
        return UNKNOWN
    # Adding 0 turns -0 into 0.
    return f"{round(value, digits) + 0:.{digits}f}".replace("-", "−")


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "day": words.day,
    "device_name": trend_words.device_name,
    "duration": device_words.duration,
    "job_kind": queue_words.kind,
    "job_status": queue_words.status,
    "model_state": queue_words.model_state,
    "number": number,
    "percent": percent,
    "refusal": refusal,
    "run_outline": run_outline,
    "trend_change": trend_words.change,
    "trend_place": trend_words.place,
    "trend_value": trend_value,
    "why_waiting": queue_words.why,
}
