"""From which entry on the chain has the key: a note of it beside the node, not in its database.

Whoever makes the whole chain anew without the key can make one that never had it, and the next
entry of the node, hashed with the key, would look like the first. The note tells the two apart.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlmodel import col, select

from core.audit.key import AuditKeyUnusable
from core.database import Database
from core.tables.audit_entries import AuditEntryRow

#: In the folder of the node.
NOTE_NAME: Final = "audit-keyed-from"


@dataclass(frozen=True)
class KeyedFrom:
    """The first entry that was hashed with the key, as it was noted."""

    number: int
    digest: str


def read_note(home: Path) -> KeyedFrom | None:
    """Return what was noted, None where nothing was.

    Raises
    ------
    AuditKeyUnusable
        If the note cannot be read.
    """
    path = home / NOTE_NAME
    try:
        number, _, digest = path.read_text("ascii").strip().partition(":")
        return KeyedFrom(int(number), digest)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise AuditKeyUnusable(
            f"{path} cannot be read: it notes from which entry on the audit trail has its key. "
            "Take it from a backup; without it a chain made anew is not told from the first"
        ) from error


def note_keyed(database: Database, home: Path) -> None:
    """Note the first entry that has the key, once; nothing where none has.

    Raises
    ------
    OSError
        If the note cannot be written.
    """
    path = home / NOTE_NAME
    if path.exists():
        return
    with database.reading() as session:
        statement = select(AuditEntryRow.number, AuditEntryRow.digest)
        keyed = statement.where(col(AuditEntryRow.keyed).is_(True))
        first = session.exec(keyed.order_by(col(AuditEntryRow.number)).limit(1)).first()
    if first is None:
        return
    home.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(f"{first[0]}:{first[1]}\n", "ascii")
    draft.replace(path)
