"""The worker that predicts while other processes prepare the next scans."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from core.errors import InfrastructureError
from core.lease import Lease
from core.ledger import Claim, LeaseLost
from core.logs import get_logger
from core.worker import IDLE_SECONDS, Worker
from inference.analysis import AnalyseStep, Analysis
from inference.batch import Batch
from inference.preparation_pool import PreparationPool
from inference.preparer import Prepared
from inference.stored_scan import LocalizerAwaited

_log = get_logger(__name__)

#: How long to wait for a scan before looking whether another one came, in seconds.
LOOK_SECONDS: Final = 0.02


@dataclass
class PipelinedWorker(Worker):
    """Claims as many scans as keep the processes busy, predicts and records what they give.

    A claim is held, and its lease prolonged, until its result is recorded. A job that was tried
    before has nothing beside it: what takes this process down would take its neighbours' attempts.
    """

    step: AnalyseStep
    pool: PreparationPool = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._batch = Batch()
        self._held: dict[int, Lease] = {}

    def run(self) -> None:
        """Work until asked to stop; what is not recorded then is given back untried."""
        try:
            super().run()
        finally:
            self._let_go()

    def run_once(self) -> int:
        """Take on what there is room for and bring what is held a step on; return how many."""
        try:
            taken = self._take_on()
            # Processes may be full of scans that were let go: only collecting makes room again.
            if self._held or self.pool.room < 1:
                self._advance()
        except InfrastructureError:
            self._let_go()
            raise
        return taken + len(self._held)

    def _take_on(self) -> int:
        self.settle_debts()
        room = self.pool.room
        if room < 1 or any(lease.claimed.attempt > 1 for lease in self._held.values()):
            return 0
        claims = self.claim(room, beside=bool(self._held))
        self._held |= {
            claimed.job_id: Lease(self.database, claimed, self.settings.lease_seconds)
            for claimed in claims
        }
        fresh = self.without_exhausted(claims)
        self._drop(claimed for claimed in claims if claimed not in fresh)
        if fresh:
            age_limits_years = self.step.models.current().age_limits_years
            for claimed in fresh:
                self.pool.submit(claimed, age_limits_years)
        return len(claims)

    def _advance(self) -> None:
        left = self._batch.seconds_left(self._is_more_to_come)
        for prepared in self.pool.collect(
            LOOK_SECONDS if left is None else min(left, LOOK_SECONDS)
        ):
            # The very claim: one that was given back may have been taken on again.
            if self._holds(prepared.claimed):
                self._go_on_with(prepared)
        if self._batch.seconds_left(self._is_more_to_come) == 0:
            self._conclude(self._batch.take())
        self._prolong()

    @property
    def _is_more_to_come(self) -> bool:
        return len(self._held) > len(self._batch)

    def _go_on_with(self, prepared: Prepared) -> None:
        claimed, scan, error = prepared.claimed, prepared.scan, prepared.error
        if scan is not None:
            self._batch.add(Analysis(claimed, scan))
            return

        def end(_claims: Sequence[Claim]) -> None:
            if isinstance(error, LocalizerAwaited):
                self.step.put_aside(claimed, error.delay_seconds)
                # Nothing wakes a worker when it is due again.
                self.idle_seconds = min(error.delay_seconds, IDLE_SECONDS)
            elif error is not None:
                raise error

        self.attempt([claimed], end)
        self._drop([claimed])

    def _conclude(self, analyses: Sequence[Analysis]) -> None:
        held = {a.claimed.job_id: a for a in analyses if self._holds(a.claimed)}

        def conclude(claims: Sequence[Claim]) -> None:
            chosen = [held[claimed.job_id] for claimed in claims]
            self.step.conclude(chosen, self.step.models.current())

        claims = [analysis.claimed for analysis in held.values()]
        self.attempt(claims, conclude, one_by_one=True)
        self.idle_seconds = IDLE_SECONDS
        self._drop(claims)

    def _prolong(self) -> None:
        for lease in list(self._held.values()):
            try:
                lease.beat()
            except LeaseLost:
                _log.warning("lease_lost", jobs=[lease.claimed.job_id])
                self._drop([lease.claimed])

    def _holds(self, claimed: Claim) -> bool:
        lease = self._held.get(claimed.job_id)
        return lease is not None and lease.claimed is claimed

    def _drop(self, claims: Iterable[Claim]) -> None:
        for claimed in claims:
            del self._held[claimed.job_id]

    def _let_go(self) -> None:
        claims = [lease.claimed for lease in self._held.values()]
        self._held.clear()
        self._batch.clear()
        self.give_back(claims)
