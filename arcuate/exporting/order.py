"""What an export is asked to give out, and the note in its folder that says so."""

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from arcuate.errors import ExportElsewhere
from core.pseudonyms import Pseudonyms
from dicom_node.deidentification.options import Option
from dicom_node.deidentification.table import EDITION

NOTE: Final = "export.json"


@dataclass(frozen=True)
class ExportOrder:
    """What is to be given out, and where.

    Attributes
    ----------
    since, until
        First and last day of the studies; None for all.
    model
        NAME or NAME:VERSION: studies with a result of it alone, and these results.
    """

    folder: Path
    pseudonyms: Pseudonyms
    options: frozenset[Option] = frozenset()
    since: date | None = None
    until: date | None = None
    model: str | None = None
    as_parquet: bool = False
    note: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "note", self.folder / NOTE)

    def open_folder(self) -> None:
        """Make the folder, or go on in one that this order began.

        Raises
        ------
        ExportElsewhere
            If it holds anything else.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.note.exists():
            self._check_note()
        elif any(self.folder.iterdir()):
            raise ExportElsewhere(f"{self.folder} is not empty, and no export began there")
        else:
            self.note.write_text(json.dumps(self._described(), indent=2) + "\n", "utf-8")

    def _check_note(self) -> None:
        try:
            found = json.loads(self.note.read_text("utf-8"))
        except ValueError:
            found = None
        if found != self._described():
            raise ExportElsewhere(
                f"{self.folder} holds an export of another project, selection or node, or with "
                "other options; choose another folder"
            )

    def _described(self) -> dict[str, Any]:
        # Of what was selected a digest alone: its days are the true ones.
        chosen = (str(self.since), str(self.until), str(self.model), str(self.as_parquet))
        return {
            "project": self.pseudonyms.project,
            "profile": f"PS3.15 {EDITION} Basic Application Level Confidentiality Profile",
            "options": sorted(self.options),
            "selection": self.pseudonyms.digest("export", *chosen).hex()[:16],
        }
