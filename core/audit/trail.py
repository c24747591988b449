"""What one request, association or command does, gathered while it does it, for its audit entry.

Where rows of patients, studies and measured fields are loaded, they are noted by themselves: a
page or route that shows a patient cannot forget to say so.
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from sqlalchemy import event
from sqlmodel import Session

from core.audit.recording import append_audit
from core.audit.subjects import patients_of, patients_of_studies
from core.database import BEFORE_COMMIT
from core.tables.measured_fields import MeasuredFieldRow
from core.tables.patients import PatientRow
from core.tables.studies import StudyRow
from core.values.audit import Actor, AuditEvent, DetailValue


@dataclass
class Trail:
    """One act while it goes on.

    Attributes
    ----------
    describe
        Returns what is known of it by itself; asked when an entry is written.
    actor
        Who acts; None until that is known.
    is_change
        Whether it changes something: its entry then is part of its first transaction.
    patients
        Patients whose rows were loaded.
    studies
        Study Instance UIDs of what came in.
    count
        How many things a search found, or a store kept; None where it is neither.
    refused
        How many things a store did not keep; None where it is none.
    named
        Kind and identifier of what was made or changed, where `describe` cannot know.
    is_recorded
        Whether its entry is part of a transaction that was committed.
    named_patients
        Patients that its entries name already.
    """

    describe: Callable[[], AuditEvent]
    actor: Actor | None = None
    is_change: bool = False
    patients: set[int] = field(default_factory=set)
    studies: set[str] = field(default_factory=set)
    count: int | None = None
    refused: int | None = None
    named: tuple[str, str] | None = None
    is_recorded: bool = False
    named_patients: set[int] = field(default_factory=set)

    @property
    def unnamed_patients(self) -> set[int]:
        """Patients that no entry names yet."""
        return self.patients - self.named_patients

    def told(self, session: Session) -> AuditEvent:
        """Return the act as far as it is known."""
        event = self.describe()
        if self.named is not None:
            event = replace(event, object_kind=self.named[0], object_id=self.named[1])
        if self.actor is not None:
            address = self.actor.address or event.actor.address
            event = replace(event, actor=replace(self.actor, address=address))
        event = replace(event, detail={**event.detail, **self._numbers()})
        return replace(event, patients=sorted({*event.patients, *self._subjects(session, event)}))

    def _numbers(self) -> dict[str, DetailValue]:
        told: dict[str, DetailValue] = {}
        if self.count is not None:
            told["count"] = self.count
        if self.refused is not None:
            told["refused"] = self.refused
        if self.studies:
            told["studies"] = sorted(self.studies)
        return told

    def _subjects(self, session: Session, event: AuditEvent) -> Iterable[int]:
        if self.patients or self.studies:
            # Rows are loaded of some that came in and not of others.
            return {*self.patients, *patients_of_studies(session, sorted(self.studies))}
        return patients_of(session, event.object_kind, event.object_id)

    def record_change(self, session: Session) -> None:
        """Make the entry part of a transaction that changes something."""
        # Before anyone is known, what is written is their login.
        if self.is_change and self.actor is not None and not self.is_recorded:
            told = self.told(session)
            append_audit(session, told)
            # Not before: a transaction that fails in the end takes its entry with it.
            note = partial(self._note_recorded, told)
            event.listen(session, "after_commit", note, once=True)

    def _note_recorded(self, told: AuditEvent, _session: Session) -> None:
        self.is_recorded = True
        self.named_patients.update(told.patients)


_CURRENT: Final[ContextVar[Trail | None]] = ContextVar("audit_trail", default=None)


@contextmanager
def followed(trail: Trail) -> Generator[Trail]:
    """Gather into a trail what happens in the block, in the threads it hands work to as well."""
    current, before_commit = _CURRENT.set(trail), BEFORE_COMMIT.set(trail.record_change)
    try:
        yield trail
    finally:
        _CURRENT.reset(current)
        BEFORE_COMMIT.reset(before_commit)


def current_trail() -> Trail | None:
    """Return what is being gathered, None where nothing is."""
    return _CURRENT.get()


def note_patients(keys: Iterable[int | None]) -> None:
    """Note that these patients are shown; nothing happens where nothing is gathered."""
    trail = _CURRENT.get()
    if trail is not None:
        trail.patients.update(key for key in keys if key is not None)


def note_study(study_instance_uid: str) -> None:
    """Note that something of this study came in."""
    trail = _CURRENT.get()
    if trail is not None:
        trail.studies.add(study_instance_uid)


def note_count(count: int) -> None:
    """Note how many things a search found."""
    trail = _CURRENT.get()
    if trail is not None:
        trail.count = count


def note_stores(kept: int, refused: int) -> None:
    """Note how many objects came in, and how many were not kept."""
    trail = _CURRENT.get()
    if trail is not None:
        trail.count, trail.refused = kept, refused


def note_object(kind: str, identifier: str) -> None:
    """Note what was made or changed, where the request itself does not name it."""
    trail = _CURRENT.get()
    if trail is not None:
        trail.named = (kind, identifier)


def note_actor(name: str, role: str, address: str = "") -> None:
    """Note who acts, once that is known."""
    trail = _CURRENT.get()
    if trail is not None:
        trail.actor = Actor(name, role, address)


def watch_rows() -> None:
    """Note patients as their rows are loaded, from now on. Harmless to repeat."""
    watched = (
        (PatientRow, _note_patient),
        (StudyRow, _note_owner),
        (MeasuredFieldRow, _note_owner),
    )
    for row, listener in watched:
        if not event.contains(row, "load", listener):
            event.listen(row, "load", listener)


def _note_patient(row: PatientRow, _context: object) -> None:
    note_patients([row.id])


def _note_owner(row: StudyRow | MeasuredFieldRow, _context: object) -> None:
    note_patients([row.patient_key])
