"""A worker loop for jobs that nobody waits for: it looks now and then, and only reads to look.

`Worker.run` claims at each commit of anybody, which on SQLite is a write transaction that all
others wait for. Jobs that may take a second to begin need not cost that.
"""

import threading
from typing import Final

from core.errors import InfrastructureError
from core.ledger import has_waiting
from core.logs import get_logger
from core.worker import Worker

#: From one look to the next.
LOOK_SECONDS: Final = 1.0

_log = get_logger(__name__)


def run_unhurried(
    worker: Worker, stopping: threading.Event, look_seconds: float = LOOK_SECONDS
) -> None:
    """Work off what waits, again and again until asked to stop."""
    # Claims that could not be given back are given back by the next run.
    owes = False
    while not stopping.is_set():
        try:
            if owes or _has_waiting(worker):
                owes = False
                if worker.run_once():
                    continue
        except InfrastructureError as error:
            owes = True
            _log.warning("infrastructure_away", error=str(error))
        stopping.wait(look_seconds)


def _has_waiting(worker: Worker) -> bool:
    with worker.database.reading() as session:
        return has_waiting(session, worker.step.kind)
