"""The file a table of scores is written to, and gone on with: CSV, JSON lines or Parquet."""

import csv
import io
import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, TextIO

from arcuate.errors import TableUnwritable
from arcuate.score_row import Row
from core.score_columns import COLUMNS, NUMBERS

#: Parquet has no end to append to: its rows wait in a file of this ending until all are there.
_WAITING: Final = ".unfinished.jsonl"


class ScoreTable:
    """Rows in a file; what it holds already is kept and need not be scored again.

    A last line that was cut off when an earlier run was killed is dropped.

    Parameters
    ----------
    path
        Its ending says the format.

    Raises
    ------
    TableUnwritable
        If the ending is none of the three, there is no such folder, the file holds another table,
        or Parquet's library is not installed.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix not in {".csv", ".jsonl", ".parquet"}:
            raise TableUnwritable
        if not path.parent.is_dir():
            raise TableUnwritable(f"There is no folder {path.parent}; make it first")
        self._path = path
        self._is_parquet = path.suffix == ".parquet"
        self._lines = path.with_name(path.name + _WAITING) if self._is_parquet else path
        finished = _read_parquet(path) if self._is_parquet else []
        self._rows = finished + _read_lines(self._lines)

    def eye_ids(self, model_digest: str) -> set[str]:
        """Return the eyes it holds already, scored by that model."""
        return {row["eye_id"] for row in self._rows if row["model_digest"] == model_digest}

    def extend(self, rows: Iterable[Row]) -> list[Row]:
        """Add rows, each in the file before the next is asked for; return them."""
        added: list[Row] = []
        with self._open() as file:
            for row in rows:
                self._write(row, file)
                file.flush()
                added.append(row)
        self._rows += added
        if self._is_parquet:
            _write_parquet(self._path, self._rows)
            self._lines.unlink()
        return added

    def _open(self) -> AbstractContextManager[TextIO]:
        return self._lines.open("a", encoding="utf-8", newline="")

    def _write(self, row: Row, file: TextIO) -> None:
        if self._lines.suffix == ".jsonl":
            file.write(json.dumps(row) + "\n")
        else:
            write_csv([row], file, header=file.tell() == 0)


def write_csv(rows: Iterable[Row], file: TextIO, header: bool = True) -> list[Row]:
    """Write rows as CSV, each at once, and return them."""
    writer = csv.DictWriter(file, COLUMNS)
    if header:
        writer.writeheader()
    written = []
    for row in rows:
        writer.writerow(row)
        written.append(row)
    return written


def _read_lines(path: Path) -> list[Row]:
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    try:
        rows = _parsed(whole.decode("utf-8"), path)
        _check_rest(content, whole, path)
    except (ValueError, csv.Error) as error:
        raise TableUnwritable(f"{path} holds something else; choose another file") from error
    # Only now: a file that is not ours was refused above and stays as it is.
    if whole != content:
        with path.open("rb+") as file:
            file.truncate(len(whole))
    return rows


def _parsed(text: str, path: Path) -> list[Row]:
    if path.suffix == ".jsonl":
        return _checked([json.loads(line) for line in text.splitlines()], path)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if text and tuple(reader.fieldnames or ()) != COLUMNS:
        raise ValueError
    return _checked(list(reader), path)


def _check_rest(content: bytes, whole: bytes, path: Path) -> None:
    """Refuse a file without one whole line, unless it begins like the first line of a table."""
    beginning = b'{"eye_id"' if path.suffix == ".jsonl" else b"eye_id,"
    if not (whole or content.startswith(beginning) or beginning.startswith(content)):
        raise ValueError


def _checked(rows: list[Any], path: Path) -> list[Row]:
    if any(not isinstance(row, dict) or tuple(row) != COLUMNS for row in rows):
        raise TableUnwritable(f"{path} holds a table with other columns; choose another file")
    return rows


def _read_parquet(path: Path) -> list[Row]:
    parquet = _parquet()
    if not path.exists():
        return []
    try:
        return _checked(parquet.read_table(path).to_pylist(), path)
    except (ValueError, OSError) as error:
        raise TableUnwritable(f"{path} is no Parquet file; choose another") from error


def _write_parquet(path: Path, rows: list[Row]) -> None:
    import pyarrow  # noqa: PLC0415 - an extra

    # Said outright: a column that happens to hold nothing would get no type.
    types = {**dict.fromkeys(NUMBERS, pyarrow.float64()), "estimated": pyarrow.bool_()}
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in COLUMNS])
    unfinished = path.with_name(path.name + ".unfinished")
    _parquet().write_table(pyarrow.Table.from_pylist(rows, schema), unfinished)
    unfinished.replace(path)


def _parquet() -> Any:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise TableUnwritable("Parquet needs the extra `parquet` (pyarrow)") from error
    return parquet
