"""The process that draws reports: it opens record and storage itself, and gives way to all others.

Nobody waits for a report as a device waits for its answer, a person for a page and a patient for a
result; drawing takes more of a processor than any of those.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Final, TypeVar

from core.database import Database
from core.errors import NodeError
from core.process_pool import ProcessPool, WorkerDied
from core.settings import Settings
from core.values.both_eyes import BothEyes
from dicom_node.delivery.reporting import ReportStep, Written
from dicom_node.delivery.study_reporting import StudyReportStep
from dicom_node.storage.bytes import Storage
from dicom_node.storage.opening import open_storage
from reports.register import formats_with
from reports.service import service_equipment

#: As far as a process can give way.
_NICENESS: Final = 19

_Given = TypeVar("_Given")


class ReportProcessDied(NodeError):
    """The process that draws reports died of this one twice: memory may have run out."""

    retry = True


class ReportProcess:
    """One process, and what it is asked for, one thing at a time.

    Its methods raise what `ReportStep.write` and `StudyReportStep.write` do, and ReportProcessDied
    where the process died of it twice.
    """

    def __init__(self, settings: Settings, pool: ProcessPool) -> None:
        self._settings = settings
        self._pool = pool
        self._turn = Lock()

    def write(self, prediction_id: str) -> Written:
        """Build the reports of a prediction and write their bytes."""
        return self._done(_write, (self._settings, prediction_id))

    def write_both(self, summary_key: int, both: BothEyes) -> Written:
        """Build the reports of both eyes and write their bytes."""
        return self._done(_write_both, (self._settings, summary_key, both))

    def _done(self, work: Callable[[_Given], Written], given: _Given) -> Written:
        # One at a time, so that a death has one cause.
        with self._turn:
            [(_, found)] = self._pool.results(work, [given])
        if isinstance(found, WorkerDied):
            raise ReportProcessDied
        return found


@contextmanager
def report_process(settings: Settings) -> Generator[ReportProcess]:
    """Start the process, and end it with the block."""
    with ProcessPool(1, _NICENESS, "report") as pool:
        # Its libraries take seconds to load: by the first scan they are there.
        pool.begin(_opened, settings)
        yield ReportProcess(settings, pool)


def report_steps(
    settings: Settings, database: Database, storage: Storage, process: ReportProcess | None = None
) -> tuple[ReportStep, StudyReportStep]:
    """Return the steps that report eyes and studies.

    Parameters
    ----------
    process
        What builds and writes in their place; None where they do so themselves.
    """
    equipment = service_equipment(settings)
    formats = formats_with(text=settings.text_reports)
    return (
        ReportStep(
            database,
            storage,
            equipment,
            formats,
            lease_seconds=settings.lease_seconds,
            write_elsewhere=None if process is None else process.write,
        ),
        StudyReportStep(
            database,
            storage,
            equipment,
            lease_seconds=settings.lease_seconds,
            write_elsewhere=None if process is None else process.write_both,
        ),
    )


def _write(given: tuple[Settings, str]) -> Written:
    settings, prediction_id = given
    return _opened(settings)[0].write(prediction_id)


def _write_both(given: tuple[Settings, int, BothEyes]) -> Written:
    settings, summary_key, both = given
    return _opened(settings)[1].write(summary_key, both)


@lru_cache(maxsize=1)
def _opened(settings: Settings) -> tuple[ReportStep, StudyReportStep]:
    storage = open_storage(settings)
    storage.expect()
    return report_steps(settings, Database(settings.database), storage)
