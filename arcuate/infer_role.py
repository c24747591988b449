"""What the process that scores does, each in a thread of its own."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Final

from arcuate.node import Node
from core.clock import utc_now
from core.deployment_job_upkeep import fail_without_gpu, remove_finished
from core.errors import InfrastructureError
from core.logs import get_logger
from core.lookout import Lookout
from core.tables.jobs import JobKind
from core.tensor_scores import remove_old_scores
from core.worker import Step, Worker
from inference.analysis import AnalyseStep
from inference.job_scoring import ScoreJobStep
from inference.pipelined_worker import PipelinedWorker
from inference.preparation_pool import PreparationPool
from inference.scorers import RecordedScorers
from inference.tensor_models import TensorModels
from inference.tensor_scoring import TensorScoreStep

Loop = Callable[[], None]

#: How often questions that are kept no longer are removed.
_SWEEP_SECONDS: Final = 60.0

_log = get_logger(__name__)


def loops_of(
    node: Node, pool: PreparationPool | None, lookout: Lookout, stopping: threading.Event
) -> list[Loop]:
    """Return the loops of the role, its models loaded; each ends when it is asked to stop.

    Parameters
    ----------
    pool
        What prepares scans; None for this process.
    lookout
        Looks for every job but those of scans.
    """
    settings, database = node.settings, node.database
    scorers = RecordedScorers(settings, database)
    models = TensorModels(settings, database, scorers)
    tensors = TensorScoreStep(database, models)
    return [
        lookout.run,
        _scan_worker(node, pool, scorers, stopping).run,
        # By itself, so that whoever waits for an answer does not wait for a group of scans.
        *(
            Worker(database, settings, step, stopping, lookout=lookout).run
            for step in (tensors, *_job_steps(node, scorers))
        ),
        partial(_sweep, node, stopping),
    ]


def _scan_worker(
    node: Node, pool: PreparationPool | None, scorers: RecordedScorers, stopping: threading.Event
) -> Worker:
    settings, database = node.settings, node.database
    step = AnalyseStep(database, node.storage, scorers, lease_seconds=settings.lease_seconds)
    if pool is None:
        return Worker(database, settings, step, stopping)
    pool.wait_until_ready()
    return PipelinedWorker(database, settings, step, stopping, pool=pool)


def _job_steps(node: Node, scorers: RecordedScorers) -> Iterator[Step]:
    """Yield what takes the jobs of deployments: those that need a GPU where there is one."""
    settings, database = node.settings, node.database
    kinds = [JobKind.SCORE_JOB]
    active = scorers.current().active.values()
    if any(scorer.predictor.device_used.device.startswith("GPU") for scorer in active):
        kinds.append(JobKind.SCORE_JOB_GPU)
    for kind in kinds:
        # Models of its own: a long job must not have those of whoever waits thrown out.
        models = TensorModels(settings, database, scorers)
        yield ScoreJobStep(database, models, settings.lease_seconds, kind)


def _sweep(node: Node, stopping: threading.Event) -> None:
    while not stopping.wait(_SWEEP_SECONDS):
        try:
            _sweep_once(node)
        except InfrastructureError as error:
            _log.warning("infrastructure_away", error=str(error))


def _sweep_once(node: Node) -> None:
    now = utc_now()
    with node.database.transaction() as session:
        questions = remove_old_scores(session)
    with node.database.transaction() as session:
        jobs = remove_finished(session, now - timedelta(days=node.settings.scoring_job_days))
        failed = fail_without_gpu(session, now)
    if questions or jobs or failed:
        _log.info("scores_swept", questions=questions, jobs=jobs, without_gpu=failed)
