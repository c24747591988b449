"""The step that sends what waits for one destination, in order, and goes on where it stopped."""

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final

from pydicom.uid import generate_uid
from sqlmodel import Session

from core import ledger
from core.clock import utc_now
from core.database import Database, database_seconds
from core.deliveries.outcomes import Patience, record_down
from core.deliveries.scheduling import is_served, schedule, wake
from core.deliveries.waiting import next_due
from core.errors import InfrastructureError, RecordNotFound
from core.ledger import Claim
from core.logs import get_logger
from core.settings import Settings
from core.tables.deliveries import DeliveryRow
from core.tables.destinations import CircuitState, DestinationRow
from core.tables.jobs import JobKind
from core.worker import Worker
from dicom_node.calling_errors import CommitmentNotOffered, DestinationDown
from dicom_node.delivery.outbox import Outbox
from dicom_node.delivery.targets.register import find_target
from dicom_node.delivery.targets.target import (
    Destination,
    Outgoing,
    Sent,
    Target,
    Tools,
    Verdict,
)
from dicom_node.errors import ObjectUnreadable
from dicom_node.storage.bytes import Storage
from dicom_node.storage.commitments import InstanceReference

#: How long one destination is served before the others of this worker have their turn.
_TURN_SECONDS: Final = 10.0
#: How long a second job of a destination waits for the first to end.
_STAND_BACK_SECONDS: Final = 0.5
#: Opening an association and one answer on it take at most so many times the patience.
_WAITS: Final = 3
#: A job that failed all its attempts met a fault of ours; it is taken up again after this.
_AFTER_FAULT_SECONDS: Final = 60.0
#: The pause while the database or the storage is away.
_AWAY_SECONDS: Final = 2.0

_log = get_logger(__name__)


@dataclass(frozen=True)
class DeliverStep:
    """Sends what waits for a destination.

    One job a destination, so whoever holds it sends alone and in order. Objects on their way are
    marked before they are sent: what a process that was killed had taken is sent again, and the
    same SOP Instance UID is the same object.

    Attributes
    ----------
    stopping
        Set when the process is to end: sending stops between two objects.
    """

    database: Database
    storage: Storage
    settings: Settings
    stopping: threading.Event
    kind: JobKind = JobKind.DELIVER
    group_size: int = 1

    def run(self, claims: Sequence[Claim]) -> None:
        """Serve each claimed destination for a while."""
        for claimed in claims:
            if self._stands_back(claimed):
                continue
            outbox = self._outbox(claimed)
            destination = outbox.open()
            if destination is None:
                with self.database.transaction() as session:
                    ledger.finish(session, claimed)
                continue
            self._serve(outbox, destination)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Leave the failed job to tell of the fault, and go on with another one later."""
        _log.error("delivery_job_failed", destination=claim.subject, error=error)
        ledger.enqueue(session, self.kind, claim.subject, delay_seconds=_AFTER_FAULT_SECONDS)

    def _stands_back(self, claimed: Claim) -> bool:
        with self.database.transaction() as session:
            if not is_served(session, int(claimed.subject), claimed.job_id):
                return False
            ledger.give_back(session, claimed, _STAND_BACK_SECONDS)
        return True

    def _outbox(self, claimed: Claim) -> Outbox:
        settings = self.settings
        return Outbox(
            self.database,
            self.storage,
            claimed,
            int(claimed.subject),
            self._patience,
            max(settings.lease_seconds, _WAITS * settings.delivery_answer_seconds),
        )

    @property
    def _patience(self) -> Patience:
        settings = self.settings
        return Patience(settings.delivery_attempts, settings.delivery_longest_pause_seconds)

    def _serve(self, outbox: Outbox, destination: Destination) -> None:
        try:
            target = find_target(destination.kind)
            asks = target.commitment_of(destination) is not None
            self._send_all(replace(outbox, asks_commitment=asks), target, destination)
            if asks and not self.stopping.is_set():
                self._ask(outbox, target, destination)
        except DestinationDown as error:
            self._leave_alone(outbox, destination, error)
        else:
            self._go_on(outbox)

    def _send_all(self, outbox: Outbox, target: Target, destination: Destination) -> None:
        deadline = time.monotonic() + _TURN_SECONDS
        while time.monotonic() < deadline and not self.stopping.is_set():
            taken = outbox.take()
            if not taken:
                return
            self._send(outbox, target, destination, taken)

    def _send(
        self, outbox: Outbox, target: Target, destination: Destination, taken: Sequence[Outgoing]
    ) -> None:
        unsent = list(taken)
        # What breaks in another way than a target may is blamed on the object it broke at: that
        # stays marked, and counts as interrupted.
        blamed = 1
        try:
            for sent in self._sent_by(target, destination, taken):
                outbox.record(sent, unsent.pop(0))
            blamed = 0
        except DestinationDown:
            blamed = 0
            raise
        except (RecordNotFound, ObjectUnreadable) as error:
            verdict = Verdict.FAILED if error.retry else Verdict.REFUSED
            outbox.record(Sent(unsent[0].delivery_id, verdict, str(error)), unsent.pop(0))
            blamed = 0
        finally:
            outbox.give_back(unsent[blamed:])

    def _sent_by(
        self, target: Target, destination: Destination, taken: Sequence[Outgoing]
    ) -> Generator[Sent]:
        tools = Tools(self.settings, self.database)
        with closing(target.send(destination, taken, tools)) as sending:
            for sent in sending:
                _log.info(
                    "report_sent",
                    destination=destination.name,
                    delivery=sent.delivery_id,
                    verdict=sent.verdict.name.lower(),
                    cause=sent.message,
                )
                yield sent
                if self.stopping.is_set():
                    return

    def _ask(self, outbox: Outbox, target: Target, destination: Destination) -> None:
        commitment = target.commitment_of(destination)
        transaction_uid = str(generate_uid(prefix=None))
        settings = self.settings
        rows = outbox.ask(
            transaction_uid,
            settings.delivery_commitment_seconds,
            settings.delivery_commitment_requests,
        )
        if commitment is None or not rows:
            return
        named = [_reference_to(row) for row in rows]
        try:
            commitment.ask(destination, transaction_uid, named, Tools(settings, self.database))
        except CommitmentNotOffered as error:
            outbox.write_off(rows, str(error))
        except DestinationDown:
            outbox.take_request_back(rows)
            raise
        outbox.note_answer()

    def _leave_alone(self, outbox: Outbox, destination: Destination, down: DestinationDown) -> None:
        cause, asked = str(down), down.asked_pause_seconds
        with self.database.transaction() as session:
            row = session.get_one(DestinationRow, outbox.destination_id)
            pause = record_down(row, cause, self._patience, asked_pause_seconds=asked)
            schedule(session, outbox.destination_id, database_seconds(session) + pause)
            ledger.give_back(session, outbox.claimed, pause)
        _log.warning(
            "destination_down", destination=destination.name, cause=cause, pause_seconds=pause
        )

    def _go_on(self, outbox: Outbox) -> None:
        """Finish the job, or leave one for when there is something to do."""
        with self.database.transaction() as session:
            due = _when_to_go_on(session, outbox.destination_id)
            now = database_seconds(session)
            if due is None or schedule(session, outbox.destination_id, due):
                ledger.finish(session, outbox.claimed)
            elif due <= now:
                # A new job stands behind those of the other destinations.
                ledger.finish(session, outbox.claimed)
                wake(session, outbox.destination_id)
            else:
                ledger.give_back(session, outbox.claimed, due - now)


def run_deliveries(worker: Worker, step: DeliverStep) -> None:
    """Serve destinations as their jobs are due, until asked to stop."""
    with closing(worker.open_wakeup()) as wakeup:
        while not step.stopping.is_set():
            try:
                if worker.run_once():
                    continue
            except InfrastructureError as error:
                _log.warning("infrastructure_away", error=str(error))
                step.stopping.wait(_AWAY_SECONDS)
            wakeup.wait(worker.patience_seconds)


def _when_to_go_on(session: Session, destination_id: int) -> float | None:
    due = next_due(session, destination_id)
    row = session.get_one(DestinationRow, destination_id)
    if due is None or row.circuit != CircuitState.OPEN or row.retry_at is None:
        return due
    pause = (row.retry_at - utc_now()).total_seconds()
    return max(due, database_seconds(session) + pause)


def _reference_to(row: DeliveryRow) -> InstanceReference:
    return InstanceReference(str(row.sent_sop_class_uid), str(row.sent_sop_instance_uid))
