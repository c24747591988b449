"""The file a table of scores is written to, and gone on with: CSV, JSON lines or Parquet."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from arcuate.errors import TableUnwritable
from arcuate.score_lines import read_lines, write_lines
from arcuate.score_parquet import read_parquet, write_parquet
from arcuate.score_row import Row

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
        #: Of each eye and model, the digest of what its row was made from.
        self._known = {_key_of(row): str(row["input_digest"]) for row in self._rows()}

    def digests(self, model_digest: str) -> dict[str, str]:
        """Return the eyes it holds already, scored by that model, and what each was made from."""
        return {eye: made for (eye, model), made in self._known.items() if model == model_digest}

    def drop(self, eye_ids: Collection[str], model_digest: str) -> None:
        """Take eyes that were scored by that model out again: they are other ones now."""
        gone = {(eye_id, model_digest) for eye_id in eye_ids} & self._known.keys()
        if not gone:
            return
        kept = (row for row in self._rows() if _key_of(row) not in gone)
        if self._is_parquet:
            write_parquet(self._path, kept)
            self._lines.unlink(missing_ok=True)
        else:
            unfinished = self._path.with_name(self._path.name + ".unfinished")
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                write_lines(kept, file, self._path.suffix)
            unfinished.replace(self._path)
        self._known = {key: made for key, made in self._known.items() if key not in gone}

    def extend(self, rows: Iterable[Row]) -> Counter[str]:
        """Add rows, each in the file before the next is asked for; count them by status."""
        added: Counter[str] = Counter()
        with self._lines.open("a", encoding="utf-8", newline="") as file:
            for row in rows:
                write_lines([row], file, self._lines.suffix)
                file.flush()
                self._known[_key_of(row)] = str(row["input_digest"])
                added[row["status"]] += 1
        if self._is_parquet:
            write_parquet(self._path, self._rows())
            self._lines.unlink()
        return added

    def _rows(self) -> Iterator[Row]:
        """Yield what it holds, each eye once."""
        finished = read_parquet(self._path) if self._is_parquet else ()
        # A kill between writing Parquet and removing what waited leaves both.
        seen: set[tuple[str, str]] = set()
        for row in chain(finished, read_lines(self._lines)):
            key = _key_of(row)
            if key not in seen:
                seen.add(key)
                yield row


def _key_of(row: Row) -> tuple[str, str]:
    return row["eye_id"], row["model_digest"]
