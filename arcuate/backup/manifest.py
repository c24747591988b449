"""The note in a back-up that says what it holds; written last, so that one without is not whole."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from arcuate.backup.errors import BackupIncomplete

#: Of each file its SHA-256 and its path below the back-up, as `sha256sum --check` reads it.
DIGESTS: Final = "SHA256SUMS"
_NOTE: Final = "backup.json"


@dataclass(frozen=True)
class Manifest:
    """What a back-up holds.

    Attributes
    ----------
    version, schema
        Of the node that made it: the program's, and the database's revision.
    database
        `sqlite` or `postgresql`.
    made_at
        When its record was read, RFC 3339: later changes are not in it.
    files, size_bytes
        Beside the record, whether copied or taken over from an earlier back-up.
    removed
        Files that the record names, removed while the back-up was made: retention, or other
        content under the same UID.
    """

    version: str
    schema: str
    database: str
    made_at: str
    files: int
    size_bytes: int
    has_files: bool
    removed: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        """Write it into the folder of its back-up."""
        (folder / _NOTE).write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Return what a back-up says it holds.

    Raises
    ------
    BackupIncomplete
        If it says nothing: it was interrupted, or is none.
    """
    try:
        found = json.loads((folder / _NOTE).read_text("utf-8"))
        return Manifest(**{**found, "removed": tuple(found["removed"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BackupIncomplete(
            f"{folder} holds no whole back-up: {_NOTE} is missing or unreadable"
        ) from error


def read_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 in hex of each file of a back-up, by its path below the folder.

    Raises
    ------
    BackupIncomplete
        If the list is missing.
    """
    try:
        lines = (folder / DIGESTS).read_text("utf-8").splitlines()
    except OSError as error:
        raise BackupIncomplete(f"{folder} has no list {DIGESTS}") from error
    return {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
