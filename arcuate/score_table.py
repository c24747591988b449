"""A table of scores on disk that can be gone on with: CSV, JSON lines or Parquet."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from arcuate.scoring import COLUMNS
from core.errors import NodeError


class TableUnwritable(NodeError):
    """The file's ending must be .csv, .jsonl or .parquet."""


class ScoreTable:
    """Rows in a file; what it holds already is kept and need not be scored again.

    Parameters
    ----------
    path
        Its ending says the format.

    Raises
    ------
    TableUnwritable
        If the ending is none of the three, or Parquet's library is not installed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.suffix not in {".csv", ".jsonl", ".parquet"}:
            raise TableUnwritable
        self._rows = self._read() if path.exists() else []

    @property
    def eye_ids(self) -> set[str]:
        """The eyes it holds already."""
        return {row["eye_id"] for row in self._rows}

    def extend(self, rows: Iterable[dict[str, Any]]) -> int:
        """Add rows, each on disk before the next is asked for; return how many.

        Parquet has no end to append to, so it is written once, when the last row is there.
        """
        count = 0
        for row in rows:
            self._rows.append(row)
            count += 1
            if self._path.suffix != ".parquet":
                self._append(row, first=len(self._rows) == 1)
        if self._path.suffix == ".parquet" and count:
            self._write_parquet()
        return count

    def _append(self, row: dict[str, Any], first: bool) -> None:
        with self._path.open("a", encoding="utf-8", newline="") as file:
            if self._path.suffix == ".jsonl":
                file.write(json.dumps(row) + "\n")
                return
            writer = csv.DictWriter(file, COLUMNS)
            if first:
                writer.writeheader()
            writer.writerow(row)

    def _read(self) -> list[dict[str, Any]]:
        if self._path.suffix == ".parquet":
            rows: list[dict[str, Any]] = _parquet().read_table(self._path).to_pylist()
            return rows
        with self._path.open(encoding="utf-8", newline="") as file:
            if self._path.suffix == ".jsonl":
                return [json.loads(line) for line in file if line.endswith("}\n")]
            return list(csv.DictReader(file))

    def _write_parquet(self) -> None:
        import pyarrow  # noqa: PLC0415 - an extra

        _parquet().write_table(pyarrow.Table.from_pylist(self._rows), self._path)


def _parquet() -> Any:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise TableUnwritable("Parquet needs the extra `parquet` (pyarrow)") from error
    return parquet
