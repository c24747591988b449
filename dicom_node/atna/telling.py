"""Tells a collector of the audit trail, going on where it was: an outage of its loses nothing.

Syslog answers nothing, and what was handed to the network may be lost with the connection. So an
entry counts as told only once the connection outlived it for a while; what was sent shortly before
a connection broke is sent again, and the number of the entry in each message tells what came twice.
"""

import os
import socket
import threading
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from sqlmodel import Session, col, select

from core.audit.collector import claim_collector, leave_collector, record_told
from core.audit.search import entries_after
from core.database import Database
from core.errors import InfrastructureError
from core.logs import get_logger
from core.settings import Settings
from core.tables.audit_entries import AuditEntryRow
from core.tables.patients import PatientRow
from core.tables.studies import StudyRow
from dicom_node.atna.message import Reporter, Subject, messages_of
from dicom_node.atna.syslog import Wire, open_wire, syslog_message

#: How long a connection must outlive a message for it to count as told.
SETTLE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 0.5
_BATCH_SIZE: Final = 100
_LEASE_SECONDS: Final = 30.0
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 60.0

_log = get_logger(__name__)


@dataclass
class _Progress:
    """How far one connection is: what was sent and when, and what surely arrived."""

    sent: int
    settled: int
    recorded_at: float = field(default_factory=monotonic)
    waiting: deque[tuple[int, float]] = field(default_factory=deque)

    def note(self, number: int) -> None:
        """Note that everything up to an entry was handed to the network."""
        self.sent = number
        self.waiting.append((number, monotonic()))

    def settle(self) -> bool:
        """Count as told what the connection outlived; return whether that is to be recorded."""
        before, now = self.settled, monotonic()
        while self.waiting and now - self.waiting[0][1] >= SETTLE_SECONDS:
            self.settled, _ = self.waiting.popleft()
        return self.settled != before or now - self.recorded_at > _LEASE_SECONDS / 3


@dataclass
class CollectorTeller:
    """Tells the collector until asked to stop; of several processes one does."""

    database: Database
    settings: Settings
    stopping: threading.Event

    def __post_init__(self) -> None:
        host = socket.gethostname()
        self._worker = f"{host}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._reporter = Reporter(self.settings.ae_title, host)
        self._pause = _FIRST_PAUSE_SECONDS

    def run(self) -> None:
        """Tell, and after each fault begin again where the collector surely was."""
        while not self.stopping.is_set():
            try:
                self._serve()
            except InfrastructureError as error:
                _log.warning("audit_not_sent", cause=str(error))
                self.stopping.wait(self._pause)
                self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
            self.stopping.wait(LOOK_SECONDS)

    def _serve(self) -> None:
        with self.database.transaction() as session:
            claimed = claim_collector(session, self._worker, _LEASE_SECONDS)
        if claimed is None:
            return
        try:
            wire = open_wire(self.settings)
            try:
                self._tell(wire, _Progress(claimed.position, claimed.position))
            finally:
                wire.close()
        finally:
            with self.database.transaction() as session:
                leave_collector(session, self._worker)

    def _tell(self, wire: Wire, progress: _Progress) -> None:
        while not self.stopping.is_set():
            wire.check()
            if progress.settle():
                if not self._record(progress):
                    return
                self._pause = _FIRST_PAUSE_SECONDS
            if not self._send_batch(wire, progress):
                self.stopping.wait(LOOK_SECONDS)

    def _record(self, progress: _Progress) -> bool:
        with self.database.transaction() as session:
            is_ours = record_told(session, self._worker, progress.settled, _LEASE_SECONDS)
        progress.recorded_at = monotonic()
        return is_ours

    def _send_batch(self, wire: Wire, progress: _Progress) -> bool:
        with self.database.reading() as session:
            rows = entries_after(session, progress.sent, _BATCH_SIZE)
            told = [(row, subjects_of(session, row)) for row in rows]
        for row, subjects in told:
            for content in messages_of(row, subjects, self._reporter):
                message = syslog_message(content, self._reporter.host, os.getpid(), row.at)
                wire.send(message)
        if rows:
            progress.note(rows[-1].number)
        return bool(rows)


def subjects_of(session: Session, row: AuditEntryRow) -> list[Subject]:
    """Return the patients an entry names, with their IDs, and which of its studies are whose."""
    if not row.patients:
        return []
    patients = session.exec(select(PatientRow).where(col(PatientRow.id).in_(row.patients))).all()
    studies = _studies_by_patient(session, _named_studies(row))
    return [
        Subject(key, one.patient_id, one.issuer, studies.get(key, []))
        for one in patients
        if (key := one.id) is not None
    ]


def _named_studies(row: AuditEntryRow) -> list[str]:
    named = row.detail.get("studies")
    if isinstance(named, list) and named:
        return [str(uid) for uid in named]
    return [row.object_id] if row.object_kind == "study" else []


def _studies_by_patient(session: Session, uids: Sequence[str]) -> dict[int, list[str]]:
    if not uids:
        return {}
    statement = select(StudyRow.patient_key, StudyRow.study_instance_uid)
    statement = statement.where(col(StudyRow.study_instance_uid).in_(uids))
    found: dict[int, list[str]] = {}
    for patient, uid in session.exec(statement).all():
        found.setdefault(patient, []).append(uid)
    return found
