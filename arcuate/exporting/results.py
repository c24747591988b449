"""The table of results in an export, as CSV or Parquet."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from arcuate.errors import TableUnwritable
from arcuate.exporting.order import ExportOrder
from arcuate.exporting.selection import day_conditions
from core.database import Database
from core.research import read_results, with_model
from core.research_table import COLUMNS, NUMBERS, Cell, row_of, spreadsheet_row
from core.values.research_result import ResearchResult
from dicom_node.deidentification.options import Option

NAME: Final = "results"
_BATCH: Final = 500


def write_results(database: Database, order: ExportOrder) -> int:
    """Write the results anew, as a whole; return how many there are.

    Raises
    ------
    TableUnwritable
        If Parquet is asked for and its library is not installed.
    """
    path = order.folder / f"{NAME}.{'parquet' if order.as_parquet else 'csv'}"
    unfinished = path.with_name(path.name + ".unfinished")
    batches = _batches(database, order)
    count = (_write_parquet if order.as_parquet else _write_csv)(unfinished, batches)
    unfinished.replace(path)
    return count


def _batches(database: Database, order: ExportOrder) -> Iterator[list[dict[str, Cell]]]:
    conditions = [*day_conditions(order), *(with_model(order.model) if order.model else ())]
    last: str | None = ""
    while last is not None:
        with database.reading() as session:
            results, last = read_results(session, order.pseudonyms, last, _BATCH, *conditions)
        yield [row_of(_allowed(result, order.options)) for result in results]


def _allowed(result: ResearchResult, options: frozenset[Option]) -> ResearchResult:
    """Return a result without what no option keeps, as in the objects."""
    if Option.PATIENT_CHARACTERISTICS not in options:
        result = replace(result, age_years=None, sex=None)
    if Option.MODIFIED_DATES not in options:
        result = replace(result, acquired_on=None)
    return result


def _write_csv(path: Path, batches: Iterator[list[dict[str, Cell]]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for rows in batches:
            writer.writerows(map(spreadsheet_row, rows))
            count += len(rows)
    return count


def _write_parquet(path: Path, batches: Iterator[list[dict[str, Cell]]]) -> int:
    pyarrow, parquet = _parquet()
    types = {**dict.fromkeys(NUMBERS, pyarrow.float64()), "estimated": pyarrow.bool_()}
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in COLUMNS])
    count = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for rows in batches:
            writer.write_table(pyarrow.Table.from_pylist(rows, schema))
            count += len(rows)
    return count


def _parquet() -> tuple[Any, Any]:
    try:
        import pyarrow  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise TableUnwritable("Parquet needs the extra `parquet` (pyarrow)") from error
    return pyarrow, parquet
