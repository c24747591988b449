"""A real result, scored by a node of its own, as the pattern of all results of a population."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from arcuate.bench.pipeline import CALLING_AE_TITLE, send_copy
from arcuate.throwaway import throwaway_node


@dataclass(frozen=True)
class Template:
    """The row of a result as SQLite holds it, and the pictures it names.

    Attributes
    ----------
    pictures
        By storage key.
    """

    row: Mapping[str, Any]
    pictures: Mapping[str, bytes]


def score_template(files: Sequence[Path]) -> Template:
    """Have a scan scored and return its result.

    Parameters
    ----------
    files
        The scan and its localizer.

    Raises
    ------
    NoPrediction
        If it was refused or its prediction did not come.
    """
    with tempfile.TemporaryDirectory(prefix="arcuate-bench-") as folder:
        home = Path(folder)
        with throwaway_node(home / "node", CALLING_AE_TITLE) as running:
            send_copy(running, files, home / "scan")
            with running.node.database.reading() as session:
                found = session.connection().execute(text("SELECT * FROM predictions"))
                row = dict(found.mappings().one())
            keys = [row[name] for name in ("preview_key", "fundus_key") if row[name]]
            return Template(row, {key: running.node.storage.read(key) for key in keys})
