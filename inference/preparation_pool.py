"""The processes that prepare scans for one worker."""

from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import contextmanager

from core.ledger import Claim
from core.settings import Settings
from inference.examination import AgeLimits
from inference.preparer import Prepared, Preparer


class PreparationPool:
    """As many processes as the settings say, started at once.

    Parameters and errors are those of `Preparer`.
    """

    def __init__(self, settings: Settings) -> None:
        count = settings.preparation_processes_used
        self._preparers = [Preparer(settings) for _ in range(count)]

    def wait_until_ready(self) -> None:
        """Return when every process can be given a scan.

        Raises
        ------
        PreparationAway
            If one died before.
        """
        for preparer in self._preparers:
            wait(list(preparer.futures))
            preparer.collect()

    @property
    def room(self) -> int:
        """How many more scans keep each process busy."""
        return sum(preparer.room for preparer in self._preparers)

    def submit(self, claimed: Claim, age_limits_years: AgeLimits) -> None:
        """Have a job's instance prepared by the process with the least to do."""
        idlest = max(self._preparers, key=lambda preparer: preparer.room)
        idlest.submit(claimed, age_limits_years)

    def collect(self, timeout_seconds: float) -> Sequence[Prepared]:
        """Return what is done, as soon as something is; nothing after the time-out.

        Raises
        ------
        PreparationAway
            As `Preparer.collect`.
        """
        at_work = [future for preparer in self._preparers for future in preparer.futures]
        wait(at_work, timeout_seconds, FIRST_COMPLETED)
        return [found for preparer in self._preparers for found in preparer.collect()]

    def close(self) -> None:
        """End the processes when they are through with their scans."""
        for preparer in self._preparers:
            preparer.close()


@contextmanager
def preparation_pool(settings: Settings) -> Generator[PreparationPool | None]:
    """Start the processes the settings ask for, and end them with the block; None for no process.

    Errors are those of `Preparer`.
    """
    if settings.preparation_processes == 0:
        yield None
        return
    pool = PreparationPool(settings)
    try:
        yield pool
    finally:
        pool.close()
