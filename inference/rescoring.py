"""The step that scores a kept instance again, by the model its job carries."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

from sqlmodel import Session

from core import ledger
from core.clock import Clock, utc_now
from core.database import Database
from core.errors import InfrastructureError, NodeError
from core.ledger import Claim, LeaseLost
from core.logs import get_logger
from core.process_pool import WorkerDied
from core.rescorings import RescoringModel, models_of_jobs
from core.settings import Settings
from core.tables.jobs import JobKind
from inference.errors import PreparationAway
from inference.prepared_scan import PreparedScan
from inference.rescoring_models import RescoringModels
from inference.rescoring_record import Rescored, record_rescored
from inference.scorer import Scorer
from inference.stored_preparation import (
    Hindered,
    Hindrance,
    StoredInstance,
)

_log = get_logger(__name__)

#: Instances prepared and predicted together.
GROUP_SIZE: Final = 32
#: Recorded in one transaction, for which whoever stores an instance waits on SQLite.
_RECORDED_TOGETHER: Final = 8
#: How long an instance is put aside of which something is still on its way, in seconds.
_AWAITED_SECONDS: Final = 5.0

#: Prepares instances somewhere, and hands each back with what came of it, in order.
Prepare = Callable[
    [Iterable[StoredInstance]],
    Iterator[tuple[StoredInstance, PreparedScan | Hindered | WorkerDied]],
]


class PreparationFailed(NodeError):
    """The instance could not be read or measured."""


@dataclass(frozen=True)
class RescoreStep:
    """Reads the instances again, estimates their fields and records what came out."""

    database: Database
    settings: Settings
    models: RescoringModels
    prepare: Prepare
    clock: Clock = utc_now
    kind: JobKind = JobKind.RESCORE
    group_size: int = GROUP_SIZE

    def run(self, claims: Sequence[Claim]) -> None:
        """Score each claimed instance again; one that fails takes none of the others with it."""
        with self.database.reading() as session:
            models = models_of_jobs(session, [claimed.job_id for claimed in claims])
        groups: defaultdict[RescoringModel, list[Claim]] = defaultdict(list)
        for claimed in claims:
            groups[models[claimed.job_id]].append(claimed)
        failures = [error for model, group in groups.items() for error in self._run(model, group)]
        if failures:
            # Those that were recorded are settled; this is told of the others.
            raise failures[0]

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Leave what stands as it is; the failed job tells of it."""
        _log.warning("not_rescored", job=claim.job_id)

    def _run(self, model: RescoringModel, claims: Sequence[Claim]) -> list[NodeError]:
        held_since = monotonic()
        scorer = self.models.scorer(model)
        ready: list[tuple[Claim, PreparedScan]] = []
        failures: list[NodeError] = []
        for claimed, found in self._prepared(scorer, claims, held_since):
            match found:
                case PreparedScan():
                    ready.append((claimed, found))
                case Hindered(Hindrance.GONE):
                    self._settle(claimed)
                case Hindered(Hindrance.AWAITED):
                    self._put_aside(claimed)
                case Hindered(Hindrance.AWAY):
                    failures.append(PreparationAway(found.message))
                case Hindered():
                    failures.append(PreparationFailed(found.message))
                case WorkerDied():
                    failures.append(found)
        self._record(model, self._scored(scorer, ready))
        # Infrastructure first: its jobs are given back untried.
        return sorted(failures, key=lambda error: not isinstance(error, InfrastructureError))

    def _prepared(
        self, scorer: Scorer, claims: Sequence[Claim], held_since: float
    ) -> Iterator[tuple[Claim, PreparedScan | Hindered | WorkerDied]]:
        """Yield the instances as they are prepared, and hold the jobs for as long as that takes."""
        settings, limits = self.settings, {scorer.kind: scorer.card.trained_age_range_years}
        instances = [StoredInstance(int(claimed.subject), settings, limits) for claimed in claims]
        for claimed, (_, found) in zip(claims, self.prepare(instances), strict=True):
            if monotonic() - held_since > settings.lease_seconds / 3:
                self._hold(claims)
                held_since = monotonic()
            yield claimed, found

    def _scored(
        self, scorer: Scorer, ready: Sequence[tuple[Claim, PreparedScan]]
    ) -> list[Rescored]:
        judged = scorer.judged([found.examination for _, found in ready])
        estimates = scorer.estimate(judged)
        return [
            Rescored(claimed, found, examination, estimate)
            for (claimed, found), examination, estimate in zip(
                ready, judged, estimates, strict=True
            )
        ]

    def _record(self, model: RescoringModel, scored: Sequence[Rescored]) -> None:
        for start in range(0, len(scored), _RECORDED_TOGETHER):
            group = scored[start : start + _RECORDED_TOGETHER]
            try:
                self._record_group(model, group)
            except LeaseLost:
                for one in group:
                    self._record_alone(model, one)

    def _record_group(self, model: RescoringModel, group: Sequence[Rescored]) -> None:
        with self.database.transaction() as session:
            for one in group:
                record_rescored(session, model, one, self.clock())
                ledger.finish(session, one.claimed)
        _log.info("instances_rescored", model=model.identity.name, jobs=len(group))

    def _record_alone(self, model: RescoringModel, one: Rescored) -> None:
        try:
            self._record_group(model, [one])
        except LeaseLost:
            # Another worker has it, or other content took its place.
            _log.info("rescoring_overtaken", job=one.claimed.job_id)

    def _hold(self, claims: Sequence[Claim]) -> None:
        for claimed in claims:
            try:
                with self.database.transaction() as session:
                    ledger.renew(session, claimed, self.settings.lease_seconds)
            except LeaseLost:
                # Settled already, or lost: recording it will tell.
                _log.debug("lease_not_renewed", job=claimed.job_id)

    def _settle(self, claimed: Claim) -> None:
        with self.database.transaction() as session:
            ledger.finish(session, claimed)

    def _put_aside(self, claimed: Claim) -> None:
        with self.database.transaction() as session:
            ledger.give_back(session, claimed, _AWAITED_SECONDS)
