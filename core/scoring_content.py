"""What a job of the Watson-compatible API may keep: numbers, under names that its model knows.

What may name somebody is refused before it is kept; whether the numbers can be scored is told when
the job runs.
"""

from collections.abc import Mapping
from types import NoneType
from typing import Any, Final

from core.scoring_input import DEEPEST_ROW, ModelReads
from core.tensor_scores import TensorsRefused

_MEMBERS: Final = frozenset({"input_data", "input_data_references"})
_ENTRY_MEMBERS: Final = frozenset({"id", "fields", "values"})
_CELLS: Final = frozenset({int, float, bool, NoneType, list})


def check_content(scoring: Mapping[str, Any], card: Mapping[str, Any]) -> None:
    """Check that a job holds nothing but what is read of it.

    Parameters
    ----------
    card
        What the card of the model says.

    Raises
    ------
    TensorsRefused
        If it does, without repeating it.
    """
    if set(scoring) - _MEMBERS:
        raise TensorsRefused("`scoring` holds more than `input_data`, which a job does not keep")
    entries = scoring.get("input_data", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise TensorsRefused('The body needs `input_data`: [{"values": [[…], …]}]')
    reads = ModelReads.of_card(card)
    for number, entry in enumerate(entries):
        _check_entry(f"input_data[{number}]", entry, reads)


def _check_entry(place: str, entry: Mapping[str, Any], reads: ModelReads) -> None:
    if set(entry) - _ENTRY_MEMBERS:
        raise TensorsRefused(f"{place} holds more than `id`, `fields` and `values`")
    if entry.get("id", reads.name) not in (reads.name, "age"):
        raise TensorsRefused(f"The `id` of {place} is no input of the model")
    fields = entry.get("fields")
    if fields is not None and not (isinstance(fields, list) and _are_known(fields, reads)):
        raise TensorsRefused(
            f"`fields` of {place} are not the columns that the model reads, or their numbers: a "
            "job keeps no others, which may name somebody"
        )
    _check_cells(place, [entry.get("values")])


def _are_known(fields: list[Any], reads: ModelReads) -> bool:
    # Frames without names count their columns, from 0 or from 1.
    known = reads.names | {str(number) for number in range(reads.width + 1)}
    return all(type(name) in {int, str} and str(name) in known for name in fields)


def _check_cells(place: str, cells: list[Any], depth: int = 0) -> None:
    kinds = set(map(type, cells))
    # The list of rows is one more, and so is this one around it.
    if not kinds <= _CELLS or depth > DEEPEST_ROW + 2:
        raise TensorsRefused(f"{place} has values that are no numbers, or nested too deeply")
    if list in kinds:
        for cell in cells:
            if isinstance(cell, list):
                _check_cells(place, cell, depth + 1)
