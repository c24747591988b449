"""The audit trail as the terminal reads it: chained up to now, and the reading itself recorded."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlmodel import col

from arcuate.audited import terminal_actor
from arcuate.errors import WrongUse
from arcuate.node import open_node
from core.audit.chain import chain_waiting
from core.audit.key import read_audit_key
from core.audit.keyed_note import KeyedFrom, note_keyed, read_note
from core.audit.recording import append_audit
from core.audit.search import AuditFilter, select_entries
from core.audit.verification import Anchor
from core.database import Database
from core.settings import Settings
from core.tables.audit_entries import AuditEntryRow
from core.values.audit import AuditAction, AuditEvent

_ANCHOR: Final = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
_PAGE: Final = 1000


@dataclass(frozen=True)
class OpenedTrail:
    """The trail, the key of its chain, and from where on it was noted to have that."""

    database: Database
    key: bytes | None
    keyed_from: KeyedFrom | None = None

    def entries(self, wanted: AuditFilter) -> Iterator[AuditEntryRow]:
        """Yield the entries that match, oldest first, a page at a time."""
        last = 0
        while True:
            statement = select_entries(wanted).where(col(AuditEntryRow.number) > last)
            ordered = statement.order_by(col(AuditEntryRow.number)).limit(_PAGE)
            with self.database.reading() as session:
                page = session.exec(ordered).all()
            if not page:
                return
            yield from page
            last = page[-1].number


def open_trail(settings: Settings, purpose: str) -> OpenedTrail:
    """Open the trail of a node, with everything recorded so far in its chain.

    Parameters
    ----------
    purpose
        What it is opened for: that is recorded, too, first.
    """
    node, key = open_node(settings), read_audit_key(settings.audit_key_file)
    noted = read_note(settings.home)
    event = AuditEvent(
        terminal_actor(), AuditAction.AUDIT, "audit", detail={"command": f"audit {purpose}"}
    )
    with node.database.transaction() as session:
        append_audit(session, event)
    chain_waiting(node.database, key)
    if key is not None:
        note_keyed(node.database, settings.home)
    return OpenedTrail(node.database, key, noted)


def read_anchor(text: str) -> Anchor:
    """Return the entry that NUMBER:DIGEST names.

    Raises
    ------
    WrongUse
        If it is no such text.
    """
    found = _ANCHOR.fullmatch(text.strip().lower())
    if found is None:
        raise WrongUse("--anchor is NUMBER:DIGEST, as `arcuate audit verify` prints it")
    return Anchor(int(found[1]), found[2])
