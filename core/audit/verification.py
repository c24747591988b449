"""Walking the chain: is every entry there, in its place, and as it was recorded."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from core.audit.chain import NOTHING_BEFORE, digest_of
from core.audit.keyed_note import KeyedFrom
from core.database import Database
from core.tables.audit_entries import AuditEntryRow, AuditHeadRow
from core.values.audit import AuditAction

_PAGE: Final = 1000


@dataclass(frozen=True)
class Anchor:
    """An entry's number and digest, as somebody noted them elsewhere."""

    number: int
    digest: str


@dataclass(frozen=True)
class Fault:
    """The first entry at which the chain is broken, and how."""

    number: int
    message: str


@dataclass(frozen=True)
class Verdict:
    """What walking the chain found.

    Attributes
    ----------
    entries
        How many entries were walked, up to the fault.
    first, last
        The ends of the chain as they are kept: 0 where it is empty. What comes before `first` was
        purged.
    keyed_from
        The first entry hashed with a key; None where none is.
    fault
        None where the chain is whole.
    """

    entries: int
    first: int
    last: int
    digest: str
    keyed_from: int | None
    fault: Fault | None


class _Broken(Exception):
    """The chain is broken here."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(number, message)


class _Walk:
    """One walk from the first entry that is kept to the last."""

    def __init__(
        self,
        session: Session,
        key: bytes | None,
        anchor: Anchor | None,
        noted: KeyedFrom | None,
    ) -> None:
        self._session, self._key, self._anchor, self._noted = session, key, anchor, noted
        self.entries = self.first = self.last = 0
        self.digest = NOTHING_BEFORE
        self.keyed_from: int | None = None

    def run(self) -> Verdict:
        fault = None
        try:
            self._walk()
        except _Broken as broken:
            fault = broken.fault
        return Verdict(self.entries, self.first, self.last, self.digest, self.keyed_from, fault)

    def _walk(self) -> None:
        self.last, self.digest = _purged(self._session)
        for row in _entries(self._session, 0):
            self._check(row)
            self.entries += 1
            self.first = self.first or row.number
            self.last, self.digest = row.number, row.digest
        self._check_end()

    def _check(self, row: AuditEntryRow) -> None:
        expected = self.last + 1
        if row.number != expected:
            raise _Broken(expected, f"entry {expected} is missing; the next is {row.number}")
        if row.previous != self.digest:
            raise _Broken(row.number, "it does not follow the entry before it")
        self._check_key(row)
        if digest_of(row, self._key if row.keyed else None) != row.digest:
            raise _Broken(row.number, "it is not as it was recorded")
        if self._anchor is not None and self._anchor.number == row.number:
            self._check_anchor(self._anchor, row)

    def _check_key(self, row: AuditEntryRow) -> None:
        if row.keyed and self._key is None:
            raise _Broken(row.number, "it was hashed with a key, and audit_key_file names none")
        if not row.keyed and self.keyed_from is not None:
            raise _Broken(row.number, "it was hashed without the key, which earlier ones have")
        noted = self._noted
        if noted is not None and row.number >= noted.number and not row.keyed:
            raise _Broken(row.number, _made_anew(noted))
        if noted is not None and row.number == noted.number and row.digest != noted.digest:
            raise _Broken(row.number, _made_anew(noted))
        if row.keyed and self.keyed_from is None:
            self.keyed_from = row.number

    def _check_anchor(self, anchor: Anchor, row: AuditEntryRow) -> None:
        if anchor.digest != row.digest:
            raise _Broken(row.number, "its digest is not the one that was noted: the chain is new")

    def _check_end(self) -> None:
        head = self._session.exec(select(AuditHeadRow)).one()
        if (head.number, head.digest) != (self.last, self.digest):
            raise _Broken(self.last + 1, f"entries are missing at the end: {head.number} was last")
        if self._noted is not None and self._noted.number > self.last:
            raise _Broken(self.last + 1, _made_anew(self._noted))
        anchor = self._anchor
        if anchor is not None and anchor.number > self.last:
            raise _Broken(self.last + 1, f"entries are missing at the end: {anchor.number} existed")


def _made_anew(noted: KeyedFrom) -> str:
    return f"entries have had the key since {noted.number}, as was noted: the chain is new"


def verify(
    database: Database,
    key: bytes | None = None,
    anchor: Anchor | None = None,
    noted: KeyedFrom | None = None,
) -> Verdict:
    """Walk the chain up to its end or its first fault.

    Parameters
    ----------
    anchor
        An entry noted elsewhere: a chain that was made anew as a whole does not have it.
    noted
        From which entry on the chain has the key, as the node noted it.
    """
    # Entries are chained meanwhile, and the end must be that of those that were walked.
    with database.reading_one_state() as session:
        return _Walk(session, key, anchor, noted).run()


def _purged(session: Session) -> tuple[int, str]:
    """Return number and digest of the last entry that a purge took, as its marker says."""
    statement = (
        select(AuditEntryRow)
        .where(col(AuditEntryRow.action) == AuditAction.PURGE, col(AuditEntryRow.purged_to) > 0)
        .order_by(col(AuditEntryRow.number).desc())
        .limit(1)
    )
    marker = session.exec(statement).first()
    if marker is None or marker.purged_to is None:
        return 0, NOTHING_BEFORE
    return marker.purged_to, str(marker.detail.get("purged_digest", ""))


def _entries(session: Session, after: int) -> Iterator[AuditEntryRow]:
    while True:
        statement = select(AuditEntryRow).where(col(AuditEntryRow.number) > after)
        page = session.exec(statement.order_by(col(AuditEntryRow.number)).limit(_PAGE)).all()
        if not page:
            return
        yield from page
        after = page[-1].number
        # Nothing of a page is kept: a trail of years does not fit into memory.
        session.expunge_all()
