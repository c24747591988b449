"""The step that removes what is no longer kept, once an hour however many processes there are."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlmodel import Session, col, select

from core import ledger
from core.clock import Clock, utc_now
from core.errors import InfrastructureError
from core.lease import Lease
from core.ledger import Claim
from core.logs import get_logger
from core.tables.discarded_files import DiscardedFileRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.worker import Worker
from dicom_node.storage.archive import Archive
from dicom_node.storage.retention.policy import RetentionPolicy
from dicom_node.storage.retention.run import remove

#: From one run to the next.
INTERVAL_SECONDS: Final = 3600.0
#: How often a process looks whether a run is due. Not at each wake-up, as for other jobs: looking
#: is a write transaction, and nobody waits for this one.
_LOOK_SECONDS: Final = 60.0
_SUBJECT: Final = "archive"

_log = get_logger(__name__)


class RetentionStopped(InfrastructureError):
    """The node is stopping; the next run goes on."""


@dataclass(frozen=True)
class RetentionStep:
    """Runs retention, and leaves its job waiting for the next time.

    Attributes
    ----------
    stopping
        Set when the process is to end: a run stops between two studies.
    """

    archive: Archive
    policy: RetentionPolicy
    lease_seconds: float
    stopping: threading.Event
    clock: Clock = utc_now
    kind: JobKind = JobKind.RETAIN
    group_size: int = 1

    def schedule(self) -> None:
        """Add the job where there is none and there is anything to do."""
        if not self._has_work():
            return
        # A file that only waits to be removed may still be read: there is no hurry.
        delay = 0.0 if self.policy.removes_anything else INTERVAL_SECONDS
        with self.archive.database.transaction() as session:
            if not _is_scheduled(session):
                ledger.enqueue(session, self.kind, _SUBJECT, delay_seconds=delay)

    def _has_work(self) -> bool:
        """Whether the settings bound anything, or files wait to be removed, as of replaced ones."""
        if self.policy.removes_anything:
            return True
        with self.archive.database.reading() as session:
            return session.exec(select(DiscardedFileRow.storage_key)).first() is not None

    def run(self, claims: Sequence[Claim]) -> None:
        """Remove what the policy no longer keeps."""
        for claimed in claims:
            lease = Lease(self.archive.database, claimed, self.lease_seconds)
            remove(self.archive, self.policy, self.clock(), partial(self._beat, lease))
            with self.archive.database.transaction() as session:
                self._put_off(session, claimed)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Leave the failed job to tell of the fault, and try again at the next time."""
        _log.error("retention_failed", job=claim.job_id, error=error)
        if not _is_scheduled(session):
            ledger.enqueue(session, self.kind, _SUBJECT, delay_seconds=INTERVAL_SECONDS)

    def _beat(self, lease: Lease) -> None:
        if self.stopping.is_set():
            raise RetentionStopped
        lease.beat()

    def _put_off(self, session: Session, claimed: Claim) -> None:
        # The same job each time, so that the ledger does not grow by one an hour. Two, made by two
        # processes that started at once, become one here.
        if self.policy.removes_anything and not _is_scheduled(session, besides=claimed.job_id):
            ledger.give_back(session, claimed, INTERVAL_SECONDS)
        else:
            ledger.finish(session, claimed)


def run_retention(worker: Worker, step: RetentionStep) -> None:
    """Do the job of retention when it is due, until asked to stop."""
    while not step.stopping.is_set():
        try:
            step.schedule()
            worker.run_once()
        except RetentionStopped:
            return
        except InfrastructureError as error:
            _log.warning("infrastructure_away", error=str(error))
        step.stopping.wait(_LOOK_SECONDS)


def _is_scheduled(session: Session, besides: int = 0) -> bool:
    statement = select(JobRow.id).where(
        col(JobRow.kind) == JobKind.RETAIN,
        col(JobRow.status).in_((JobStatus.QUEUED, JobStatus.RUNNING)),
        col(JobRow.id) != besides,
    )
    return session.exec(statement).first() is not None
