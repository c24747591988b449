"""What is sent to one destination, read from the record and written back to it.

Every transaction renews the lease, so a worker that lost it writes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlmodel import Session, col, select

from core import ledger
from core.clock import utc_now
from core.database import Database
from core.deliveries import commitments, outcomes, waiting
from core.deliveries.destinations import close_circuit
from core.deliveries.outcomes import Arrived, Patience
from core.errors import RecordNotFound
from core.ledger import Claim
from core.tables.columns import key_of
from core.tables.deliveries import DeliveryRow
from core.tables.destinations import CircuitState, DestinationRow
from core.tables.instances import InstanceRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from dicom_node.delivery.targets.target import Destination, Outgoing, Sent, Verdict
from dicom_node.storage.bytes import Storage

#: Objects on one association.
GROUP_SIZE = 20
_INTERRUPTED = "The process that sent it ended"


@dataclass(frozen=True)
class Outbox:
    """The deliveries of one destination, for the worker that holds its job.

    Attributes
    ----------
    hold_seconds
        How long the job is held after each step.
    """

    database: Database
    storage: Storage
    claimed: Claim
    destination_id: int
    patience: Patience
    hold_seconds: float
    asks_commitment: bool = field(default=False)

    def open(self) -> Destination | None:
        """Return the destination, ready to be tried; None where nothing is to go there.

        One that is left alone for a while stays so: then there is nothing to take, nor to ask. What
        a dead process left half-sent counts as one failed attempt.
        """
        with self.database.transaction() as session:
            row = session.get(DestinationRow, self.destination_id)
            if row is None or not row.enabled:
                return None
            for left in waiting.interrupted(session, self.destination_id):
                outcomes.record_interrupted(session, row, left, _INTERRUPTED, self.patience)
            # A job may be due sooner: something was planned while the destination was found down.
            if row.circuit == CircuitState.OPEN and (row.retry_at or utc_now()) <= utc_now():
                row.circuit = CircuitState.HALF_OPEN
            ledger.renew(session, self.claimed, self.hold_seconds)
            return destination_of(row)

    def take(self) -> list[Outgoing]:
        """Take what is to be sent next on one association."""
        with self.database.transaction() as session:
            row = session.get_one(DestinationRow, self.destination_id)
            if not row.enabled or row.circuit == CircuitState.OPEN:
                return []
            taken = waiting.take_waiting(session, row, GROUP_SIZE)
            ledger.renew(session, self.claimed, self.hold_seconds)
            return [self._outgoing(session, delivery) for delivery in taken]

    def record(self, sent: Sent, outgoing: Outgoing) -> None:
        """Write down what became of an object."""
        with self.database.transaction() as session:
            ledger.renew(session, self.claimed, self.hold_seconds)
            # Locked: whoever removes it at this moment settles what waits for it, too.
            destination = session.get_one(
                DestinationRow, self.destination_id, with_for_update={"key_share": True}
            )
            row = session.get_one(DeliveryRow, sent.delivery_id, with_for_update=True)
            match sent.verdict:
                case Verdict.DELIVERED:
                    arrived = self._arrived(sent, outgoing)
                    outcomes.record_delivered(session, destination, row, arrived)
                case Verdict.REFUSED:
                    outcomes.record_refused(session, destination, row, sent.message, sent.learned)
                case Verdict.FAILED:
                    outcomes.record_failed(session, destination, row, sent.message, self.patience)

    def give_back(self, unsent: Sequence[Outgoing]) -> None:
        """Let what was taken and not sent wait again."""
        with self.database.transaction() as session:
            rows = [session.get_one(DeliveryRow, o.delivery_id) for o in unsent]
            waiting.give_back(session, rows)
            ledger.renew(session, self.claimed, self.hold_seconds)

    def ask(
        self, transaction_uid: str, wait_seconds: float, maximum_requests: int
    ) -> list[DeliveryRow]:
        """Begin a request for commitment; return what it is about, nothing where none is due."""
        with self.database.transaction() as session:
            row = session.get_one(DestinationRow, self.destination_id)
            if row.circuit == CircuitState.OPEN:
                return []
            due = commitments.due_for_request(session, self.destination_id, maximum_requests)
            commitments.begin_request(session, due, transaction_uid, wait_seconds)
            ledger.renew(session, self.claimed, self.hold_seconds)
            return list(due)

    def note_answer(self) -> None:
        """Write down that the destination answers, where that was not known."""
        with self.database.transaction() as session:
            row = session.get_one(DestinationRow, self.destination_id)
            if row.circuit != CircuitState.CLOSED:
                close_circuit(row)

    def take_request_back(self, rows: Sequence[DeliveryRow]) -> None:
        """Let a request that could not be made be due again."""
        with self.database.transaction() as session:
            commitments.take_request_back(session, rows)

    def write_off(self, rows: Sequence[DeliveryRow], cause: str) -> None:
        """Write down that commitment cannot be asked for."""
        with self.database.transaction() as session:
            commitments.write_off(session, rows, cause)

    def _arrived(self, sent: Sent, outgoing: Outgoing) -> Arrived:
        return Arrived(
            sent.sop_class_uid or outgoing.sop_class_uid,
            sent.sop_instance_uid or outgoing.sop_instance_uid,
            sent.message,
            self.asks_commitment,
            sent.learned,
        )

    def _outgoing(self, session: Session, delivery: DeliveryRow) -> Outgoing:
        statement = (
            select(InstanceRow, StudyRow.study_instance_uid)
            .join(SeriesRow, col(SeriesRow.id) == InstanceRow.series_key)
            .join(StudyRow, col(StudyRow.id) == SeriesRow.study_key)
            .where(InstanceRow.id == delivery.instance_key)
        )
        found = session.exec(statement).one_or_none()
        if found is None:
            raise RecordNotFound("A delivery names an instance that is not kept")
        instance, study_instance_uid = found
        read: Callable[[], bytes] = partial(self.storage.read, instance.storage_key)
        return Outgoing(
            key_of(delivery),
            instance.sop_class_uid,
            instance.sop_instance_uid,
            instance.transfer_syntax_uid,
            study_instance_uid,
            read,
        )


def destination_of(row: DestinationRow) -> Destination:
    """Return what a target sees of a destination."""
    options: Mapping[str, Any] = row.options
    return Destination(row.name, row.kind, row.address, options, row.secret, row.learned)
