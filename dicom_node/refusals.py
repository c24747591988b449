"""The record of refused callers: each is counted, and many at once share a transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.changes import append_changes
from core.clock import Clock, utc_now
from core.database import Database
from core.errors import InfrastructureError
from core.logs import get_logger
from core.tables.changes import ChangeKind
from core.tables.peers import RefusedCallerRow
from dicom_node.callers import Caller, Refusal

#: Different callers that wait to be written; how many more were refused is only logged.
_LONGEST: Final = 1000

_log = get_logger(__name__)

#: Calling AE title, address and called AE title: the key of its row.
_Key = tuple[str, str, str]


@dataclass(frozen=True)
class _Knocks:
    """How often one caller was refused since it was last written, why last, and when."""

    reason: Refusal
    count: int
    first_at: datetime
    last_at: datetime


@dataclass
class RefusalRecord:
    """Counts refusals of this process.

    Whoever is first writes for everybody who comes meanwhile, and nobody waits for that: a crowd of
    strangers costs one transaction at a time, not one each.
    """

    database: Database
    clock: Clock = utc_now
    _access: Lock = field(default_factory=Lock)
    _writing: Lock = field(default_factory=Lock)
    _waiting: dict[_Key, _Knocks] = field(default_factory=dict)
    _uncounted: int = 0

    def add(self, caller: Caller, reason: Refusal) -> None:
        """Count a refusal; on return it is written, or somebody else is about to write it.

        While the database is away it is kept in memory.
        """
        now = self.clock()
        key = (caller.ae_title, caller.address, caller.called_ae_title)
        with self._access:
            known = self._waiting.get(key)
            if known is not None:
                self._waiting[key] = replace(
                    known, reason=reason, count=known.count + 1, last_at=now
                )
            elif len(self._waiting) < _LONGEST:
                self._waiting[key] = _Knocks(reason, 1, now, now)
            else:
                self._uncounted += 1
        # Asked again after the lock is let go: who came in between found it taken.
        while self._waiting and self._writing.acquire(blocking=False):
            try:
                is_written = self._write()
            finally:
                self._writing.release()
            if not is_written:
                return

    def _write(self) -> bool:
        with self._access:
            taken, self._waiting = self._waiting, {}
            uncounted, self._uncounted = self._uncounted, 0
        if uncounted:
            _log.warning("refusals_not_counted", refusals=uncounted)
        try:
            self._count(taken)
        except InfrastructureError as error:
            _log.error("refusals_not_recorded", callers=len(taken), error=str(error))
            self._put_back(taken)
            return False
        for (calling, address, called), knocks in taken.items():
            _log.warning(
                "caller_refused",
                peer=calling,
                address=address,
                called=called,
                reason=knocks.reason.value,
                count=knocks.count,
            )
        return True

    def _put_back(self, taken: Mapping[_Key, _Knocks]) -> None:
        with self._access:
            for key, earlier in taken.items():
                later = self._waiting.get(key)
                self._waiting[key] = (
                    replace(later, count=later.count + earlier.count, first_at=earlier.first_at)
                    if later is not None
                    else earlier
                )

    def _count(self, taken: Mapping[_Key, _Knocks]) -> None:
        try:
            with self.database.transaction() as session:
                _count_all(session, taken)
        except IntegrityError:
            # Another process refused the same caller at the same time, and made the row.
            with self.database.transaction() as session:
                _count_all(session, taken)


def _count_all(session: Session, taken: Mapping[_Key, _Knocks]) -> None:
    known = _find(session, taken)
    for key, row in known.items():
        knocks = taken[key]
        row.count += knocks.count
        row.reason, row.last_seen_at = knocks.reason.value, knocks.last_at
    new = [key for key in taken if key not in known]
    session.add_all(_row(key, taken[key]) for key in new)
    session.flush()
    if new:
        append_changes(
            session.connection(), ChangeKind.CALLER_REFUSED, [calling for calling, *_ in new]
        )


def _find(session: Session, keys: Iterable[_Key]) -> dict[_Key, RefusedCallerRow]:
    # Few statements, however many callers; and in one order in every process, so that no two wait
    # for each other's rows.
    columns = (
        col(RefusedCallerRow.calling_ae_title),
        col(RefusedCallerRow.address),
        col(RefusedCallerRow.called_ae_title),
    )
    titles = {calling for calling, *_ in keys}
    statement = select(RefusedCallerRow).where(columns[0].in_(titles)).order_by(*columns)
    rows = session.exec(statement.with_for_update()).all()
    by_key = {(row.calling_ae_title, row.address, row.called_ae_title): row for row in rows}
    return {key: by_key[key] for key in keys if key in by_key}


def _row(key: _Key, knocks: _Knocks) -> RefusedCallerRow:
    calling, address, called = key
    return RefusedCallerRow(
        calling_ae_title=calling,
        address=address,
        called_ae_title=called,
        reason=knocks.reason.value,
        count=knocks.count,
        first_seen_at=knocks.first_at,
        last_seen_at=knocks.last_at,
    )
