"""How the lists people search and act on read, as filters of their templates."""

from collections.abc import Callable
from typing import Any, Final

from api.dashboard import trend_view, trend_words, words
from core.trends.result import Index

#: Half the size of the drawing in which a run's shape stands.
_KEY_CENTRE: Final = 8.0


def run_outline(run: int) -> str:
    """Return the outline of the shape that stands for a run, in a drawing of 16 by 16."""
    return trend_view.outline(trend_view.shape_of(run), _KEY_CENTRE, _KEY_CENTRE)


def trend_value(number: float | None, index: str) -> str:
    """Return a value of an index named by its word."""
    return trend_words.value(number, Index(index))


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "day": words.day,
    "device_name": trend_words.device_name,
    "run_outline": run_outline,
    "trend_place": trend_words.place,
    "trend_value": trend_value,
}
