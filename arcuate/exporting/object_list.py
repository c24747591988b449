"""The list of objects in an export: what was written, what was refused and why. Grows by lines."""

import csv
import io
from collections import Counter
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final, TextIO

from arcuate.errors import ExportElsewhere

NAME: Final = "objects.csv"
WRITTEN: Final = "written"
REFUSED: Final = "refused"


@dataclass(frozen=True)
class ListedObject:
    """What became of one object; all names are pseudonyms.

    Attributes
    ----------
    outcome
        `written` or `refused`.
    cause, explanation
        Why it was refused; empty where it was written.
    warning
        What somebody should look at before it is given on; mostly empty.
    """

    sop_instance_uid: str
    patient: str
    study_instance_uid: str
    sop_class_uid: str
    outcome: str
    cause: str = ""
    explanation: str = ""
    warning: str = ""


_COLUMNS: Final = tuple(field.name for field in fields(ListedObject))


class ObjectList:
    """The list, gone on with where an earlier run was stopped.

    Raises
    ------
    ExportElsewhere
        If the file holds another table.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._known = {one.sop_instance_uid: one for one in self._read()}

    def __contains__(self, sop_instance_uid: str) -> bool:
        return sop_instance_uid in self._known

    def __len__(self) -> int:
        return len(self._known)

    def open(self) -> TextIO:
        """Return the file to add lines to."""
        file = self._path.open("a", encoding="utf-8", newline="")
        if file.tell() == 0:
            csv.writer(file).writerow(_COLUMNS)
        return file

    def add(self, one: ListedObject, file: TextIO) -> None:
        """Add an object; its line is in the file when this returns."""
        csv.DictWriter(file, _COLUMNS).writerow(asdict(one))
        file.flush()
        self._known[one.sop_instance_uid] = one

    def counts(self) -> Counter[str]:
        """Return how many were written, and how many refused by each cause."""
        return Counter(one.cause or one.outcome for one in self._known.values())

    def warnings(self) -> Counter[str]:
        """Return how many have each warning."""
        return Counter(one.warning for one in self._known.values() if one.warning)

    def _read(self) -> list[ListedObject]:
        if not self._path.exists():
            return []
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        reader = csv.DictReader(io.StringIO(whole.decode("utf-8", "replace"), newline=""))
        if whole and tuple(reader.fieldnames or ()) != _COLUMNS:
            raise ExportElsewhere(f"{self._path} holds another table")
        rows = [ListedObject(**row) for row in reader]
        # A line that was cut off when a run was killed: its object is written again.
        with self._path.open("rb+") as file:
            file.truncate(len(whole))
        return rows
