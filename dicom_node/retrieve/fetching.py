"""Fetching what an archive holds, series by series, each judged by the record afterwards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.database import Database
from core.errors import NodeError
from dicom_node.errors import GetNotAccepted
from dicom_node.retrieve.plan import FetchRequest, SeriesPlan, kept_of
from dicom_node.retrieve.sub_operations import SubOperations


class Fetcher(Protocol):
    """A way to fetch."""

    def fetch(self, request: FetchRequest) -> SubOperations:
        """Fetch what a request asks for."""


@dataclass(frozen=True)
class SeriesResult:
    """What became of one series.

    Attributes
    ----------
    fetched
        Instances that are in the record now and were not before; by the archive's account where it
        listed none.
    missing
        SOP Instance UIDs of what did not come.
    problems
        Why, as far as it is known.
    """

    plan: SeriesPlan
    fetched: int
    missing: tuple[str, ...]
    counts: SubOperations
    problems: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether everything that was wanted of the series is kept."""
        return not (self.missing or self.problems or self.counts.failed)


def fetch_all(
    plans: Sequence[SeriesPlan], database: Database, fetcher: Fetcher, instead: Fetcher
) -> Iterator[SeriesResult]:
    """Fetch each series; one that fails is a result like any other.

    Parameters
    ----------
    instead
        How to go on where the archive does not offer the first way.
    """
    for plan in plans:
        try:
            yield _fetch(plan, database, fetcher)
        except GetNotAccepted:
            fetcher = instead
            yield _fetch(plan, database, fetcher)


def _fetch(plan: SeriesPlan, database: Database, fetcher: Fetcher) -> SeriesResult:
    accounts: list[SubOperations] = []
    problems: list[str] = []
    for request in plan.requests:
        try:
            accounts.append(fetcher.fetch(request))
        except GetNotAccepted:
            raise
        except NodeError as error:
            problems.append(str(error))
    counts = _sum(accounts)
    problems += dict.fromkeys(counts.problems.values())
    kept = kept_of(database, plan.missing)
    missing = tuple(o.sop_instance_uid for o in plan.missing if o.sop_instance_uid not in kept)
    fetched = len(kept) if plan.missing else counts.completed + counts.warning
    return SeriesResult(plan, fetched, missing, counts, tuple(problems))


def _sum(accounts: Sequence[SubOperations]) -> SubOperations:
    return SubOperations(
        sum(one.completed for one in accounts),
        sum(one.failed for one in accounts),
        sum(one.warning for one in accounts),
        {uid: problem for one in accounts for uid, problem in one.problems.items()},
    )
