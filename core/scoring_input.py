"""The tensors in a request of the Watson-compatible API: `input_data` with `values` and names.

A row is whatever the model reads of one eye, its age last, as the columns of a table; or the inputs
come by their names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from core.tensor_scores import TensorsRefused
from core.values.prediction import ModelIdentity
from core.values.tensors import TensorQuestion

_AGE: Final = "age"
_AGE_NAMES: Final = frozenset({_AGE, "age_years"})
#: How a column of samples is called, as in the tables of `arcuate score --profiles`.
_SAMPLE: Final = "p{:03d}"
_NUMBERS: Final = "fiu"
#: What JSON has for numbers; a row of truth values alone is none of numbers to NumPy.
_NUMERIC: Final = frozenset({int, float, bool})
#: Axes of a row.
DEEPEST_ROW: Final = 8


@dataclass(frozen=True)
class ModelReads:
    """What a model reads of one eye.

    Attributes
    ----------
    name
        Its first input.
    samples
        Numbers of that.
    reads_age
        Whether the age comes after it, in years.
    """

    name: str
    samples: int
    reads_age: bool

    @classmethod
    def of_card(cls, card: Mapping[str, Any]) -> Self:
        """Return what the card of a model says it reads."""
        first, *others = card["inputs"]
        return cls(first["name"], prod(first["shape"]), bool(others))

    @property
    def width(self) -> int:
        """Columns of a row."""
        return self.samples + self.reads_age

    @property
    def names(self) -> frozenset[str]:
        """What columns may be called."""
        samples = (_SAMPLE.format(number) for number in range(self.samples))
        return frozenset({self.name, *samples, *_AGE_NAMES})

    @property
    def told(self) -> str:
        """What a row must hold, for people."""
        return f"{self.samples} of {self.name}{', then the age in years' if self.reads_age else ''}"


def read_question(
    scoring: Mapping[str, Any], model: ModelIdentity, card: Mapping[str, Any]
) -> TensorQuestion:
    """Return the question that a request holds.

    Parameters
    ----------
    scoring
        What holds `input_data`.
    card
        What the card of the model says.

    Raises
    ------
    TensorsRefused
        If it is not understood, or anything in it is no finite number; the message says where.
    """
    reads = ModelReads.of_card(card)
    entries = scoring.get("input_data")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise TensorsRefused('The body needs `input_data`: [{"values": [[…], …]}]')
    if len(entries) == 1 and entries[0].get("id") not in {reads.name, _AGE}:
        structure, ages_years = _of_table(entries[0], reads)
    else:
        structure, ages_years = _of_inputs(entries, reads)
    return TensorQuestion(model.name, model.version, structure, ages_years)


def _of_inputs(
    entries: Sequence[Mapping[str, Any]], reads: ModelReads
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return structures and ages that come as one entry each, named by `id`."""
    wanted = [reads.name, _AGE] if reads.reads_age else [reads.name]
    found = {str(entry.get("id")): entry for entry in entries}
    if sorted(found) != sorted(wanted) or len(entries) != len(wanted):
        raise TensorsRefused(
            "`input_data` is either one table, or one entry for each input, its name as `id`: "
            + ", ".join(wanted)
        )
    structure = _matrix(_rows(found[reads.name]), reads.samples, f"{reads.samples} samples")
    if not reads.reads_age:
        return structure, _no_ages(structure)
    ages_years = _matrix(_rows(found[_AGE]), 1, "one age")[:, 0]
    if len(ages_years) != len(structure):
        raise TensorsRefused(f"There are {len(structure)} rows of {reads.name}, not as many of age")
    return structure, ages_years


def _of_table(
    table: Mapping[str, Any], reads: ModelReads
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rows = _rows(table)
    order = _order(table.get("fields"), reads)
    if order is not None and len(order) < reads.width:
        # Two columns: the structure as a list in one cell, the age in the other.
        rows = [_spread(number, row, order) for number, row in enumerate(rows)]
        order = None
    matrix = _matrix(rows, reads.width, f"{reads.width} numbers ({reads.told})")
    if order is not None:
        matrix = matrix[:, order]
    structure = matrix[:, : reads.samples]
    return structure, matrix[:, -1] if reads.reads_age else _no_ages(structure)


def _order(fields: Any, reads: ModelReads) -> list[int] | None:
    """Return where each column stands that the model reads; None where the order is the usual one.

    Names that mean nothing here, as the numbers a table without names is given, count for nothing.
    """
    if not isinstance(fields, list):
        return None
    names = [_AGE if name in _AGE_NAMES else str(name) for name in fields]
    samples = [_SAMPLE.format(number) for number in range(reads.samples)]
    ages = [_AGE] if reads.reads_age else []
    for wanted in ([*samples, *ages], [reads.name, *ages]):
        if sorted(names) == sorted(wanted):
            return [names.index(name) for name in wanted]
    known = set(names) & {*samples, reads.name, _AGE}
    if known:
        raise TensorsRefused(
            f"`fields` names some of what the model reads and not all: {samples[0]} to "
            f"{samples[-1]}{' and age' if ages else ''}, or {', '.join([reads.name, *ages])}, or "
            "leave `fields` out"
        )
    return None


def _rows(entry: Mapping[str, Any]) -> list[Any]:
    rows = entry.get("values")
    if not isinstance(rows, list) or not rows:
        raise TensorsRefused("`values` must be a list with a row for each eye")
    return rows


def _spread(number: int, row: Any, order: Sequence[int]) -> list[Any]:
    if not isinstance(row, list) or len(row) != len(order):
        raise TensorsRefused(f"values[{number}] has not as many cells as there are `fields`")
    structure, *ages = (row[place] for place in order)
    return [*_flat(structure), *ages]


def _flat(value: Any, depth: int = 0) -> list[Any]:
    if not isinstance(value, list):
        return [value]
    if depth == DEEPEST_ROW:
        raise TensorsRefused(f"A row is nested more than {DEEPEST_ROW} lists deep")
    if list not in set(map(type, value)):
        return value
    return [found for part in value for found in _flat(part, depth + 1)]


def _matrix(rows: Sequence[Any], width: int, told: str) -> NDArray[np.float32]:
    """Return rows, float32, shape (n, width); each may be nested as it likes."""
    return np.stack([_row(number, row, width, told) for number, row in enumerate(rows)])


def _row(number: int, row: Any, width: int, told: str) -> NDArray[np.float32]:
    values = _flat(row)
    if len(values) != width:
        raise TensorsRefused(f"values[{number}] has {len(values)} numbers, not {told}")
    # Before NumPy sees it, which would give each number the room of the longest text beside it.
    found = np.array(values) if set(map(type, values)) <= _NUMERIC else None
    if found is None or found.dtype.kind not in _NUMBERS:
        raise TensorsRefused(f"values[{number}]{_fault(values)}")
    with np.errstate(over="ignore"):
        numbers = found.astype(np.float32)
    if not np.isfinite(numbers).all():
        raise TensorsRefused(f"values[{number}] has a number that is too large")
    return numbers


def _fault(values: Sequence[Any]) -> str:
    for place, value in enumerate(values):
        if value is None:
            return f"[{place}] is missing (null or NaN); what is missing is not filled in"
    return " holds something that is no number"


def _no_ages(structure: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.full(len(structure), np.nan, np.float32)
