"""A table of any length takes the memory of one batch."""

import io
import json
import tracemalloc
from collections.abc import Iterator

import pyarrow.parquet
import pytest
from sqlalchemy import text

from api.rest.export_rows import EXPORT_COLUMNS, export_batches
from api.rest.exports import _csv, _parquet
from api.rest.prediction_query import PredictionFilter
from core.database import Database
from tests.builders.large_archive import fill

_ROWS = 12_000
_EARLY = 3
_MEBIBYTE = 1 << 20


def _peaks(pieces: Iterator[bytes]) -> tuple[int, int, int]:
    """Return the peak of memory over the first pieces, over all, and how many bytes came."""
    tracemalloc.start()
    try:
        length = sum(len(next(pieces)) for _ in range(_EARLY))
        early = tracemalloc.get_traced_memory()[1]
        length += sum(len(piece) for piece in pieces)
        return early, tracemalloc.get_traced_memory()[1], length
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("write", [_csv, _parquet])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_memory_does_not_grow_with_the_table(database: Database, write) -> None:
    fill(database, _ROWS)
    field = json.dumps([20.5] * 52)
    with database.engine.begin() as connection:
        columns = "sensitivities_db = :field, lower_db = :field, upper_db = :field"
        connection.execute(text(f"UPDATE predictions SET {columns}"), {"field": field})  # noqa: S608

    early, all_of_it, length = _peaks(write(export_batches(database, PredictionFilter())))

    assert length > 2 * _MEBIBYTE if write is _csv else length > 0
    assert all_of_it < early + _MEBIBYTE


def test_empty_table_has_its_columns() -> None:
    parquet = pyarrow.parquet.read_table(io.BytesIO(b"".join(_parquet(iter([[]])))))
    text = b"".join(_csv(iter([[]]))).decode()

    assert tuple(parquet.column_names) == EXPORT_COLUMNS
    assert parquet.num_rows == 0
    assert tuple(text.splitlines()[0].split(",")) == EXPORT_COLUMNS
