"""What a card says to people, as the record keeps it for hosts that have no model store."""

from dataclasses import fields
from typing import Any, Final

from pydantic import TypeAdapter

from inference.model_card import ModelCard

#: What only the host that scores needs.
_NOT_TOLD: Final = frozenset({"folder", "intervals"})
_VALUES: Final[TypeAdapter[Any]] = TypeAdapter(Any)


def told_card(card: ModelCard) -> dict[str, Any]:
    """Return a card as JSON, without where its files lie and its table of intervals.

    Of that it tells whether they are factors of a spread, which the network then gives.
    """
    told = [entry.name for entry in fields(card) if entry.name not in _NOT_TOLD]
    values = {name: getattr(card, name) for name in told}
    values["gives_spread"] = card.intervals.needs_spread
    plain: dict[str, Any] = _VALUES.dump_python(values, mode="json")
    return plain
