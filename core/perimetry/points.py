"""The table of the 52 tested points, read once from `points_24_2.csv` beside this file."""

import csv
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

_TABLE: Final = Path(__file__).with_name("points_24_2.csv")


@cache
def _rows() -> tuple[dict[str, str], ...]:
    with _TABLE.open(newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


def text_column(name: str) -> tuple[str, ...]:
    """Return one column as text, one entry per point in right-eye order."""
    return tuple(row[name] for row in _rows())


def float_column(name: str) -> NDArray[np.float64]:
    """Return one column as a read-only array, shape (52,), in the unit its name ends with."""
    values = np.array(text_column(name), dtype=np.float64)
    values.setflags(write=False)
    return values


def integer_column(name: str) -> NDArray[np.intp]:
    """Return one column as a read-only integer array, shape (52,)."""
    values = np.array(text_column(name), dtype=np.intp)
    values.setflags(write=False)
    return values
