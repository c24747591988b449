"""What the process that scores does, each in a thread of its own."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Final

from arcuate.node import Node
from core.database import Database
from core.errors import InfrastructureError
from core.logs import get_logger
from core.tensor_scores import remove_old_scores
from core.worker import Worker
from inference.analysis import AnalyseStep
from inference.scorers import RecordedScorers
from inference.tensor_models import TensorModels
from inference.tensor_scoring import TensorScoreStep

Loop = Callable[[], None]

#: How often questions that are kept no longer are removed.
_SWEEP_SECONDS: Final = 60.0

_log = get_logger(__name__)


def loops_of(node: Node, stopping: threading.Event) -> list[Loop]:
    """Return the loops of the role, its models loaded; each ends when it is asked to stop."""
    settings, database = node.settings, node.database
    scorers = RecordedScorers(settings, database)
    tensors = TensorScoreStep(database, TensorModels(settings, database, scorers))
    return [
        Worker(database, settings, AnalyseStep(database, node.storage, scorers), stopping).run,
        # By itself, so that whoever waits for an answer does not wait for a group of scans.
        Worker(database, settings, tensors, stopping).run,
        partial(_sweep, database, stopping),
    ]


def _sweep(database: Database, stopping: threading.Event) -> None:
    while not stopping.wait(_SWEEP_SECONDS):
        try:
            with database.transaction() as session:
                removed = remove_old_scores(session)
        except InfrastructureError as error:
            _log.warning("infrastructure_away", error=str(error))
            continue
        if removed:
            _log.info("questions_removed", count=removed)
