"""The worker loop: claim, work, record; pause while the infrastructure is away."""

import os
import socket
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final, Protocol

from sqlmodel import Session

from core import ledger
from core.database import Database
from core.errors import InfrastructureError, NodeError
from core.ledger import Claim, LeaseLost
from core.logs import get_logger
from core.lookout import Lookout
from core.settings import Settings
from core.tables.jobs import JobKind
from core.wakeup import Wakeup, open_wakeup

_log = get_logger(__name__)

#: Longest wait for a notification in seconds; a job whose lease or delay ended gives none.
IDLE_SECONDS: Final = 0.2
#: The same where a lookout calls: should it be blind, a worker still meets what is away itself.
_CALLED_SECONDS: Final = 5.0
#: Pauses of the breaker in seconds while the infrastructure is away: the first, and the longest.
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0


class Step(Protocol):
    """What a worker does with the jobs of one kind."""

    @property
    def kind(self) -> JobKind:
        """Which jobs it takes."""

    @property
    def group_size(self) -> int:
        """How many jobs it likes to take at a time."""

    def run(self, claims: Sequence[Claim]) -> None:
        """Do the work of each claim and record it with `ledger.finish`, one transaction per claim.

        Raises
        ------
        InfrastructureError
            If no job is to blame; all unfinished claims are given back untried.
        NodeError
            If the claim it was working on failed. A group is then tried again one by one.
        """

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Record what a reader must see of a job that stops, in the transaction that stops it."""


@dataclass
class Worker:
    """One worker of one kind of job.

    Attributes
    ----------
    lookout
        Who looks for jobs in its place; None where it looks by itself.
    """

    database: Database
    settings: Settings
    step: Step
    stopping: threading.Event
    idle_seconds: float = IDLE_SECONDS
    lookout: Lookout | None = None

    def __post_init__(self) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._pause_seconds = FIRST_PAUSE_SECONDS
        #: Claims that could not be given back, because the database was away with the rest.
        self._owed: list[Claim] = []

    def run(self) -> None:
        """Work until asked to stop."""
        with closing(self.open_wakeup()) as wakeup:
            while not self.stopping.is_set():
                self._turn(wakeup)

    def open_wakeup(self) -> Wakeup:
        """Return what tells that there may be a job."""
        if self.lookout is None:
            return open_wakeup(self.database)
        return self.lookout.wakeup(self.step.kind)

    @property
    def patience_seconds(self) -> float:
        """How long to wait for being told at most."""
        return self.idle_seconds if self.lookout is None else _CALLED_SECONDS

    def run_once(self) -> int:
        """Claim once and work; return how many jobs were claimed."""
        claims = self.claim(self.step.group_size)
        fresh = self.without_exhausted(claims)
        if fresh:
            self.attempt(fresh, self.step.run)
        return len(claims)

    def _turn(self, wakeup: Wakeup) -> None:
        try:
            worked = self.run_once()
            self._pause_seconds = FIRST_PAUSE_SECONDS
        except InfrastructureError as error:
            self._pause(error)
            return
        if not worked:
            wakeup.wait(self.patience_seconds)

    def _pause(self, error: InfrastructureError) -> None:
        _log.warning("infrastructure_away", error=str(error), pause_seconds=self._pause_seconds)
        self.stopping.wait(self._pause_seconds)
        self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)

    def claim(self, limit: int, beside: bool = False) -> list[Claim]:
        """Take up to that many jobs, beside others or none, that this worker holds."""
        self.settle_debts()
        kind, lease_seconds = self.step.kind, self.settings.lease_seconds
        with self.database.reading() as session:
            if not ledger.is_any_claimable(session, kind):
                return []
        with self.database.transaction() as session:
            return ledger.claim(session, kind, self.name, limit, lease_seconds, beside)

    def without_exhausted(self, claims: Sequence[Claim]) -> list[Claim]:
        """Stop the jobs whose workers died in each attempt, and return the others."""
        exhausted = [c for c in claims if c.attempt > self.settings.maximum_attempts]
        for claimed in exhausted:
            self._fail(claimed, "The worker died in each attempt", retry=False)
        return [c for c in claims if c not in exhausted]

    def attempt(
        self,
        claims: Sequence[Claim],
        work: Callable[[Sequence[Claim]], None],
        one_by_one: bool = False,
    ) -> None:
        """Work on claims, and record what goes wrong on them.

        Parameters
        ----------
        one_by_one
            Whether a group that fails is worked on again at once, each claim by itself; else each
            is tried again later, alone.

        Raises
        ------
        InfrastructureError
            If no job is to blame; the claims are given back.
        """
        try:
            work(claims)
        except InfrastructureError:
            self.give_back(claims)
            raise
        except LeaseLost:
            _log.warning("lease_lost", jobs=[claimed.job_id for claimed in claims])
        except Exception as error:  # noqa: BLE001 - the loop's edge: a job's failure is recorded on it
            if len(claims) == 1 or not one_by_one:
                self._blame(claims, error)
                return
            _log.warning("group_failed", jobs=len(claims), error=type(error).__name__)
            for claimed in claims:
                self.attempt([claimed], work)

    def _blame(self, claims: Sequence[Claim], error: Exception) -> None:
        _log.warning("job_failed", jobs=[c.job_id for c in claims], error=type(error).__name__)
        # In a group the guilty one is not known: each is tried again, alone.
        retry = len(claims) > 1 or not isinstance(error, NodeError) or error.retry
        for claimed in claims:
            self._fail(claimed, _describe(error), retry)

    def settle_debts(self) -> None:
        """Give back what could not be given back before, while its leases last.

        A lease that runs out would count as a worker's death.
        """
        owed, self._owed = self._owed, []
        self.give_back(owed)

    def give_back(self, claims: Sequence[Claim]) -> None:
        """Return claims untried; those of a database that is away, when it answers again."""
        for number, claimed in enumerate(claims):
            try:
                with self.database.transaction() as session:
                    ledger.give_back(session, claimed)
            except LeaseLost:
                _log.info("already_settled", job=claimed.job_id)
            except InfrastructureError as error:
                self._owed += claims[number:]
                _log.info("not_given_back", jobs=len(self._owed), error=type(error).__name__)
                return

    def _fail(self, claimed: Claim, error: str, retry: bool) -> None:
        maximum = self.settings.maximum_attempts
        try:
            with self.database.transaction() as session:
                if not ledger.fail(session, claimed, error, retry, maximum):
                    self.step.give_up(session, claimed, error)
        except LeaseLost:
            _log.info("already_settled", job=claimed.job_id)
        except InfrastructureError:
            raise
        except Exception as fault:  # noqa: BLE001 - else each worker that takes the job dies of it
            _log.error("job_not_given_up", job=claimed.job_id, error=type(fault).__name__)
            with suppress(LeaseLost), self.database.transaction() as session:
                ledger.fail(session, claimed, error, retry=False, maximum_attempts=maximum)


def _describe(error: Exception) -> str:
    # Only our own messages are known to hold no patient data.
    return str(error) if isinstance(error, NodeError) else f"Unexpected {type(error).__name__}"
