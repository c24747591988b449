"""What runs in a process that prepares scans: it opens record and storage itself."""

import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass
from typing import Final

from core.clock import utc_now
from core.database import Database
from core.logs import configure_logs
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from inference.examination import AgeLimits
from inference.prepared_scan import PreparedScan, prepare_stored
from inference.stored_scan import LocalizerAwaited

_ROLE: Final = "prepare"


@dataclass(frozen=True)
class _Opened:
    database: Database
    storage: Storage


#: What `open_process` opened, for the tasks that follow in this process.
_OPENED: Final[list[_Opened]] = []


def open_process(settings: Settings) -> None:
    """Make this process ready to prepare scans."""
    # A terminal's Ctrl-C reaches every process; the one that predicts says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    configure_logs(settings.log_level, _ROLE)
    storage = Storage(settings.storage)
    storage.prepare()
    _OPENED[:] = [_Opened(Database(settings.database), storage)]


def be_ready() -> None:
    """Do nothing, when `open_process` is done."""


def prepare(instance_key: int, age_limits_years: AgeLimits) -> PreparedScan | None:
    """Prepare a stored instance; None where what belongs to it may still be on its way.

    Parameters and errors are those of `prepare_stored`.
    """
    [opened] = _OPENED
    try:
        return prepare_stored(
            instance_key, opened.database, opened.storage, age_limits_years, utc_now()
        )
    except LocalizerAwaited:
        return None


def _end_with_parent() -> None:
    # A parent that was killed asks for nothing any more, and tells nobody.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
