"""What runs in a process that prepares scans: it opens record and storage itself."""

import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Final

from core.clock import utc_now
from core.database import Database
from core.logs import configure_logs
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from dicom_node.storage.opening import open_storage
from inference.examination import AgeLimits
from inference.prepared_scan import PreparedScan, prepare_stored

_ROLE: Final = "prepare"
#: There are as many as processors: devices and people must not wait for them.
_NICENESS: Final = 5


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
    parent = multiprocessing.parent_process()
    if parent is not None:
        _end_if_dead(parent, 0)
        threading.Thread(target=_end_if_dead, args=(parent, None), daemon=True).start()
    configure_logs(settings.log_level, _ROLE)
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    storage = open_storage(settings)
    storage.expect()
    _OPENED[:] = [_Opened(Database(settings.database), storage)]


def be_ready() -> None:
    """Do nothing, when `open_process` is done."""


def prepare(instance_key: int, age_limits_years: AgeLimits) -> PreparedScan:
    """Prepare a stored instance.

    Parameters and errors are those of `prepare_stored`.
    """
    [opened] = _OPENED
    return prepare_stored(
        instance_key, opened.database, opened.storage, age_limits_years, utc_now()
    )


def _end_if_dead(parent: BaseProcess, timeout_seconds: float | None) -> None:
    """End at once when the parent does; it was killed, asks for nothing more and tells nobody."""
    parent.join(timeout_seconds)
    if not parent.is_alive():
        os._exit(1)
