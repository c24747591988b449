"""Fetching what an archive holds, series by series, each judged by the record afterwards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from core.database import Database
from core.errors import NodeError
from dicom_node.calling_errors import (
    AssociationRejected,
    GetNotAccepted,
    PeerUnreachable,
)
from dicom_node.retrieve.plan import FetchRequest, SeriesPlan, kept_of
from dicom_node.retrieve.sub_operations import SubOperations

#: Series in a row that an archive is silent for, until it is taken to be away.
_SILENCES: Final = 3
_AWAY: Final = (PeerUnreachable, AssociationRejected)


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
    faults
        What ended a request.
    """

    plan: SeriesPlan
    fetched: int
    missing: tuple[str, ...]
    counts: SubOperations
    faults: tuple[NodeError, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """Why something did not come, as far as it is known."""
        told = [str(fault) for fault in self.faults]
        return tuple(dict.fromkeys([*told, *self.counts.problems.values()]))

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

    Raises
    ------
    PeerUnreachable
        If the archive seems to be away: some series in a row could not be asked for.
    """
    silent = 0
    for plan in plans:
        try:
            result = _fetch(plan, database, fetcher)
        except GetNotAccepted:
            fetcher = instead
            result = _fetch(plan, database, fetcher)
        yield result
        is_silent = any(isinstance(fault, _AWAY) for fault in result.faults)
        silent = silent + 1 if is_silent and not result.fetched else 0
        if silent == _SILENCES:
            raise PeerUnreachable(f"Given up after {silent} series: {result.problems[-1]}")


def _fetch(plan: SeriesPlan, database: Database, fetcher: Fetcher) -> SeriesResult:
    accounts: list[SubOperations] = []
    faults: list[NodeError] = []
    for request in plan.requests:
        try:
            accounts.append(fetcher.fetch(request))
        except GetNotAccepted:
            raise
        except NodeError as fault:
            faults.append(fault)
    counts = _sum(accounts)
    kept = kept_of(database, plan.missing)
    missing = tuple(o.sop_instance_uid for o in plan.missing if o.sop_instance_uid not in kept)
    fetched = len(kept) if plan.missing else counts.completed + counts.warning
    return SeriesResult(plan, fetched, missing, counts, tuple(faults))


def _sum(accounts: Sequence[SubOperations]) -> SubOperations:
    return SubOperations(
        sum(one.completed for one in accounts),
        sum(one.failed for one in accounts),
        sum(one.warning for one in accounts),
        {uid: problem for one in accounts for uid, problem in one.problems.items()},
    )
