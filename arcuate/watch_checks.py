"""Checks of the watched folder."""

import os
from pathlib import Path

from arcuate.finding import Finding, Health
from core.settings import Settings
from dicom_node.media.sightings import REFUSED, TAKEN


def check_watch(settings: Settings) -> Finding:
    """Look whether the folder is there, and what lies in it.

    Raises
    ------
    OSError
        If it cannot be listed.
    """
    if not settings.watch_folder:
        return Finding("watch", Health.GOOD, "no folder is watched")
    folder = Path(settings.watch_folder).resolve()
    if not folder.is_dir():
        remedy = "Mount or make it; ARCUATE_WATCH_FOLDER names another one."
        return Finding("watch", Health.WRONG, f"{folder} is not there", remedy)
    waiting = sum(1 for path in folder.rglob("*") if path.is_file() and _is_waiting(path, folder))
    refused = sum(1 for _ in (folder / REFUSED).glob("*/*.txt"))
    found = f"{waiting} files wait, {refused} refused"
    if not os.access(folder, os.W_OK):
        remedy = "Files are taken in, and again at each start: let the node write there."
        return Finding("watch", Health.NOTE, f"{found}; for reading only", remedy)
    if refused:
        remedy = f"The causes lie beside them in {folder / REFUSED}, and in Quarantine."
        return Finding("watch", Health.NOTE, found, remedy)
    return Finding("watch", Health.GOOD, found)


def _is_waiting(path: Path, folder: Path) -> bool:
    return path.relative_to(folder).parts[0] not in {TAKEN, REFUSED}
