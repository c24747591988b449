"""The chain: each entry's digest covers the entry and the digest of the one before."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import insert
from sqlmodel import Session, col, delete, select

from core.database import Database
from core.tables.audit_entries import (
    AuditEntryRow,
    AuditHeadRow,
    AuditPatientRow,
    WaitingAuditRow,
)
from core.tables.columns import table_of

#: The digest before the first entry.
NOTHING_BEFORE: Final = "0" * 64
#: What every entry says, and its digest covers; digest itself and `previous` stand apart.
_TOLD: Final = (
    *("number", "receipt", "purged_to", "actor", "actor_role", "address", "action"),
    *("object_kind", "object_id", "patients", "outcome", "detail"),
)
_COPIED: Final = tuple(WaitingAuditRow.model_fields.keys() - {"id"})
#: Entries chained in one transaction.
BATCH_SIZE: Final = 500


def canonical(row: AuditEntryRow) -> bytes:
    """Return an entry as it is hashed: JSON with sorted keys, no spaces, UTF-8."""
    told: dict[str, Any] = {name: getattr(row, name) for name in _TOLD}
    told["at"] = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    told["previous"] = row.previous
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def digest_of(row: AuditEntryRow, key: bytes | None) -> str:
    """Return what an entry's digest must be: SHA-256, or HMAC-SHA-256 with the key, hex."""
    content = canonical(row)
    if key is None:
        return hashlib.sha256(content).hexdigest()
    return hmac.new(key, content, "sha256").hexdigest()


def chain_waiting(database: Database, key: bytes | None) -> int:
    """Give every entry that waits its place; return how many had none.

    Several processes may do this at a time: they take turns at the end of the chain.
    """
    chained = 0
    while has_waiting(database):
        with database.transaction() as session:
            chained += _chain_batch(session, key)
    return chained


def has_waiting(database: Database) -> bool:
    """Whether an entry waits; costs no lock."""
    with database.reading() as session:
        return session.exec(select(WaitingAuditRow.id).limit(1)).first() is not None


def lock_head(session: Session) -> AuditHeadRow:
    """Return the end of the chain, which nobody else moves until the transaction ends."""
    statement = select(AuditHeadRow).with_for_update()
    return session.exec(statement).one()


def add_entry(
    session: Session, head: AuditHeadRow, row: AuditEntryRow, key: bytes | None
) -> AuditEntryRow:
    """Put an entry behind the end of the chain, which the caller has locked."""
    row.number, row.previous = head.number + 1, head.digest
    row.keyed, row.digest = key is not None, ""
    row.digest = digest_of(row, key)
    session.add(row)
    head.number, head.digest = row.number, row.digest
    return row


def _chain_batch(session: Session, key: bytes | None) -> int:
    head = lock_head(session)
    statement = select(WaitingAuditRow).order_by(col(WaitingAuditRow.id)).limit(BATCH_SIZE)
    waiting = session.exec(statement).all()
    chained = [add_entry(session, head, _entry_of(row), key) for row in waiting]
    _index_patients(session, chained)
    # The guard lets go only what stands in the chain.
    session.flush()
    _forget(session, [row.id for row in waiting])
    return len(waiting)


def _index_patients(session: Session, rows: Sequence[AuditEntryRow]) -> None:
    named = [
        {"patient_key": patient, "number": row.number} for row in rows for patient in row.patients
    ]
    if named:
        session.execute(insert(table_of(AuditPatientRow)), named)


def _entry_of(row: WaitingAuditRow) -> AuditEntryRow:
    told = {name: getattr(row, name) for name in _COPIED}
    return AuditEntryRow(number=0, receipt=row.id, previous="", digest="", **told)


def _forget(session: Session, receipts: Sequence[int | None]) -> None:
    session.execute(delete(WaitingAuditRow).where(col(WaitingAuditRow.id).in_(receipts)))


def last_entry(session: Session) -> tuple[int, str, datetime | None]:
    """Return number and digest of the end of the chain, and when its last entry happened."""
    head = session.exec(select(AuditHeadRow)).one()
    at = session.exec(select(AuditEntryRow.at).where(col(AuditEntryRow.number) == head.number))
    return head.number, head.digest, at.first()
