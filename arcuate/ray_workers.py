"""Workers of the ledger on Ray: actors claim jobs, tasks prepare, and the record stays the truth.

An actor that dies is started again by Ray; the jobs it held come back when their lease ends.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from arcuate.node import Node, open_node
from arcuate.ray_session import RayOptions, ray_session
from arcuate.role_logs import configure_role_logs
from core.errors import InfrastructureError, NodeError
from core.logs import get_logger
from core.process_pool import WorkerDied
from core.settings import Settings
from core.worker import Worker
from inference.prepared_scan import PreparedScan
from inference.rescoring import RescoreStep
from inference.rescoring_models import RescoringModels
from inference.stored_preparation import (
    Hindered,
    StoredInstance,
    prepare_stored,
)

_log = get_logger(__name__)

#: So often in a row an actor may be lost before its work is left to the others.
_MOST_LOSSES: Final = 20
#: How long an actor without work, or without a database, is left alone.
_PAUSE_SECONDS: Final = 1.0


class RayActorLost(NodeError):
    """A process that worked on Ray was lost again and again, or met what it cannot work with."""


class LedgerActor:
    """Works on jobs of the node in one process of the cluster.

    Parameters
    ----------
    settings
        With a database and a storage that every process of the cluster reaches.
    scores_arrivals
        Whether it takes what came in, too, and that first.
    """

    def __init__(self, settings: Settings, scores_arrivals: bool) -> None:
        configure_role_logs(settings, "infer")
        node = open_node(settings)
        models = RescoringModels(settings)
        again = RescoreStep(node.database, settings, models, prepare_in_tasks)
        steps = [_analyse_step(node), again] if scores_arrivals else [again]
        self._workers = [Worker(node.database, settings, step, threading.Event()) for step in steps]

    def work(self) -> int:
        """Work on one group of jobs, the most urgent kind first; return how many it claimed."""
        for worker in self._workers:
            claimed = worker.run_once()
            if claimed:
                return claimed
        return 0


@contextmanager
def working_on_ray(
    settings: Settings,
    options: RayOptions,
    scores_arrivals: bool = False,
    ended: threading.Event | None = None,
) -> Iterator[threading.Event]:
    """Keep actors at work while the block lasts.

    Parameters
    ----------
    ended
        Set when the work of an actor ends unasked, as what is yielded is: whoever waits in the
        block for being asked to stop waits no longer.
    """
    stopping, lost = threading.Event(), threading.Event()
    told = [lost] if ended is None else [lost, ended]
    with ray_session(options) as ray:
        # Of its own it needs no processor: the tasks that prepare need them.
        actor = ray.remote(num_cpus=0, num_gpus=options.gpus, max_restarts=-1)(LedgerActor)
        actors = [actor.remote(settings, scores_arrivals) for _ in range(options.actors)]
        threads = [
            threading.Thread(target=_drive_and_tell, args=(ray, one, stopping, told))
            for one in actors
        ]
        for thread in threads:
            thread.start()
        try:
            yield lost
        finally:
            stopping.set()
            for thread in threads:
                thread.join()


def prepare_in_tasks(
    instances: Iterable[StoredInstance],
) -> Iterator[tuple[StoredInstance, PreparedScan | Hindered | WorkerDied]]:
    """Prepare instances in tasks of the cluster, from one of its processes."""
    import ray  # noqa: PLC0415 - an extra

    task = ray.remote(num_cpus=1, max_retries=0)(prepare_stored)
    begun = [(instance, task.remote(instance)) for instance in instances]
    for instance, result in begun:
        try:
            yield instance, ray.get(result)
        except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError):
            yield instance, WorkerDied()


def _drive_and_tell(
    ray: Any, actor: Any, stopping: threading.Event, told: Sequence[threading.Event]
) -> None:
    try:
        _drive(ray, actor, stopping)
    finally:
        if not stopping.is_set():
            _log.error("ray_actor_given_up")
            for event in told:
                event.set()


def _drive(ray: Any, actor: Any, stopping: threading.Event) -> None:
    """Have an actor work on group after group, whatever becomes of its process."""
    losses = 0
    while not stopping.is_set() and losses < _MOST_LOSSES:
        try:
            claimed, losses = ray.get(actor.work.remote()), 0
        except (ray.exceptions.RayActorError, InfrastructureError) as error:
            # Started again by Ray; what it held comes back by its lease.
            _log.warning("ray_actor_lost", error=type(error).__name__, cause=_cause(error))
            claimed, losses = 0, losses + isinstance(error, ray.exceptions.RayActorError)
        if not claimed:
            stopping.wait(_PAUSE_SECONDS)


def _cause(error: Exception) -> str:
    # Only our own messages are known to hold no patient data.
    return str(error) if isinstance(error, NodeError) else ""


def _analyse_step(node: Node) -> Any:
    from inference.analysis import AnalyseStep  # noqa: PLC0415 - only where it is wanted
    from inference.scorers import RecordedScorers  # noqa: PLC0415

    scorers = RecordedScorers(node.settings, node.database)
    lease_seconds = node.settings.lease_seconds
    return AnalyseStep(node.database, node.storage, scorers, lease_seconds=lease_seconds)
