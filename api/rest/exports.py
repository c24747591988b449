"""`/v1/predictions.csv` and `.parquet`: what a search finds as one table, one row an eye."""

import csv
import io
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.dependencies import Node, NodeParameter
from api.dicomweb.accepting import read_accept
from api.errors import ParquetUnavailable
from api.rest.export_rows import EXPORT_COLUMNS, EXPORT_NUMBERS, Row, export_batches
from api.rest.prediction_query import PredictionFilter
from api.schemas.problem import problems
from core.csv_text import neutral

ROUTER: Final = APIRouter(prefix="/v1", tags=["predictions"])

CSV: Final = "text/csv"
PARQUET: Final = "application/vnd.apache.parquet"


def _returns(media_type: str, *statuses: int) -> dict[str, Any]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    answers: dict[Any, Any] = {**problems(*statuses), 200: {"content": content}}
    return {"response_class": StreamingResponse, "responses": answers}


@ROUTER.get("/predictions.csv", summary="Every match as CSV", **_returns(CSV))
def export_csv(
    node: NodeParameter, query: Annotated[PredictionFilter, Query()]
) -> StreamingResponse:
    """Return all that the filters find, newest first; `limit` and `cursor` do not count here.

    A text that a spreadsheet would run as a formula begins with an apostrophe.
    """
    return csv_answer(node, query)


@ROUTER.get("/predictions.parquet", summary="Every match as Parquet", **_returns(PARQUET, 501))
def export_parquet(
    node: NodeParameter, query: Annotated[PredictionFilter, Query()]
) -> StreamingResponse:
    """Return all that the filters find, newest first; `limit` and `cursor` do not count here."""
    return parquet_answer(node, query)


def exported(node: Node, query: PredictionFilter, accept: str | None) -> StreamingResponse | None:
    """Return the table that an Accept header asks for; None where it takes JSON.

    Raises
    ------
    ParquetUnavailable
        If it asks for Parquet, whose library is not installed.
    """
    for wanted in read_accept(accept):
        if wanted.fits("application/json"):
            return None
        if wanted.name == CSV:
            return csv_answer(node, query)
        if wanted.name == PARQUET:
            return parquet_answer(node, query)
    return None


def csv_answer(node: Node, query: PredictionFilter) -> StreamingResponse:
    """Return the table as CSV, written as it is read."""
    return StreamingResponse(_csv(_begun(node, query)), headers=_named("csv", CSV))


def parquet_answer(node: Node, query: PredictionFilter) -> StreamingResponse:
    """Return the table as Parquet, a row group a batch.

    Raises
    ------
    ParquetUnavailable
        If its library is not installed.
    """
    try:
        import pyarrow  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise ParquetUnavailable from error
    written = _parquet(_begun(node, query))
    return StreamingResponse(written, headers=_named("parquet", PARQUET))


def _begun(node: Node, query: PredictionFilter) -> Iterator[list[Row]]:
    """Return the batches, the first read already: what is refused is so before an answer begins."""
    batches = export_batches(node.database, query)
    return chain([next(batches, [])], batches)


def _named(ending: str, media_type: str) -> dict[str, str]:
    disposition = f'attachment; filename="predictions.{ending}"'
    return {"Content-Type": media_type, "Content-Disposition": disposition}


def _csv(batches: Iterator[list[Row]]) -> Iterator[bytes]:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(EXPORT_COLUMNS)
    for batch in batches:
        writer.writerows([neutral(row[name]) for name in EXPORT_COLUMNS] for row in batch)
        yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    written = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return written


class _Pipe(io.RawIOBase):
    """A file that is read as it is written, and remembers nothing."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


def _parquet(batches: Iterator[list[Row]]) -> Iterator[bytes]:
    import pyarrow  # noqa: PLC0415 - an extra
    from pyarrow import parquet  # noqa: PLC0415

    # Said outright: a column that happens to hold nothing would get no type.
    types = {**dict.fromkeys(EXPORT_NUMBERS, pyarrow.float64()), "estimated": pyarrow.bool_()}
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in EXPORT_COLUMNS])
    pipe = _Pipe()
    with parquet.ParquetWriter(pipe, schema) as writer:
        for batch in batches:
            writer.write_table(pyarrow.Table.from_pylist(batch, schema))
            yield pipe.take()
    yield pipe.take()
