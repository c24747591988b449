"""Rows of scores as lines of a file: CSV, or JSON lines."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from arcuate.errors import TableUnwritable
from arcuate.score_row import COLUMNS, Row


def write_csv(rows: Iterable[Row], file: TextIO, header: bool = True) -> Counter[str]:
    """Write rows as CSV, each at once, and count them by status."""
    writer = csv.DictWriter(file, COLUMNS)
    if header:
        writer.writeheader()
    written: Counter[str] = Counter()
    for row in rows:
        writer.writerow(row)
        written[row["status"]] += 1
    return written


def write_lines(rows: Iterable[Row], file: TextIO, ending: str) -> None:
    """Write rows as the ending says, with a header where CSV begins."""
    if ending == ".jsonl":
        file.writelines(json.dumps(row) + "\n" for row in rows)
    else:
        write_csv(rows, file, header=file.tell() == 0)


def read_lines(path: Path) -> Iterator[Row]:
    """Yield the rows of a file; then its last line goes, where a kill cut that off.

    Raises
    ------
    TableUnwritable
        If it holds something else; it is left as it is.
    """
    if not path.exists():
        return
    try:
        with path.open(encoding="utf-8", newline="") as file:
            whole = _WholeLines(file)
            yield from _parsed(whole, path)
            _check_rest(whole, path)
    except (ValueError, csv.Error) as error:
        raise TableUnwritable(f"{path} holds something else; choose another file") from error
    # Only now: a file that is not ours was refused above.
    if whole.rest:
        with path.open("rb+") as cut:
            cut.truncate(path.stat().st_size - len(whole.rest.encode()))


class _WholeLines:
    """The lines of a file that end; what comes after the last end is kept as the rest."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.count = 0
        self.rest = ""

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            if line.endswith("\n"):
                self.count += 1
                yield line
            else:
                self.rest = line


def _parsed(lines: _WholeLines, path: Path) -> Iterator[Row]:
    if path.suffix == ".jsonl":
        yield from (checked(json.loads(line), path) for line in lines)
        return
    reader = csv.DictReader(lines)
    names = tuple(reader.fieldnames or ())
    if lines.count and names != COLUMNS:
        raise ValueError
    yield from (checked(row, path) for row in reader)


def _check_rest(lines: _WholeLines, path: Path) -> None:
    """Refuse a file without one whole line, unless it begins like the first line of a table."""
    beginning, rest = '{"eye_id"' if path.suffix == ".jsonl" else "eye_id,", lines.rest
    if not (lines.count or rest.startswith(beginning) or beginning.startswith(rest)):
        raise ValueError


def checked(row: Any, path: Path) -> Row:
    """Return a row that has the columns of a table of scores.

    Raises
    ------
    TableUnwritable
        If it has others.
    """
    if not isinstance(row, dict) or tuple(row) != COLUMNS:
        raise TableUnwritable(f"{path} holds a table with other columns; choose another file")
    return row
