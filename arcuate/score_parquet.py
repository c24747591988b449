"""Rows of scores as a Parquet file, read and written in groups of rows: none holds an archive."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from arcuate.errors import TableUnwritable
from arcuate.score_lines import checked
from arcuate.score_row import COLUMNS, Row
from core.score_columns import NUMBERS

_GROUP_ROWS: Final = 4096


def read_parquet(path: Path) -> Iterator[Row]:
    """Yield the rows of a file; none where there is none.

    Raises
    ------
    TableUnwritable
        If it holds something else, or Parquet's library is not installed.
    """
    parquet = _parquet()
    if not path.exists():
        return
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_GROUP_ROWS):
                yield from (checked(row, path) for row in batch.to_pylist())
    except (ValueError, OSError) as error:
        raise TableUnwritable(f"{path} is no Parquet file; choose another") from error


def write_parquet(path: Path, rows: Iterable[Row]) -> None:
    """Write a file anew; the one before stays until all are written."""
    import pyarrow  # noqa: PLC0415 - an extra

    # Said outright: a column that happens to hold nothing would get no type.
    types = {**dict.fromkeys(NUMBERS, pyarrow.float64()), "estimated": pyarrow.bool_()}
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in COLUMNS])
    unfinished = path.with_name(path.name + ".unfinished")
    waiting = iter(rows)
    with _parquet().ParquetWriter(unfinished, schema) as writer:
        while group := list(islice(waiting, _GROUP_ROWS)):
            writer.write_table(pyarrow.Table.from_pylist(group, schema))
    unfinished.replace(path)


def _parquet() -> Any:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise TableUnwritable("Parquet needs the extra `parquet` (pyarrow)") from error
    return parquet
