"""Scoring again on this machine: the model that is meant, who works, and how far it is."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic, sleep
from typing import Final

from arcuate.node import Node
from core.lookout import Lookout
from core.models import list_models, register_models
from core.process_pool import ProcessPool
from core.processors import processors
from core.rescoring_choice import rescoring_model
from core.rescorings import RescoringCounts, RescoringModel, count_rescoring
from core.worker import Worker
from core.yielding_worker import YieldingWorker
from inference.loading import load_known, open_model_store, with_installed
from inference.rescoring import RescoreStep
from inference.rescoring_models import RescoringModels
from inference.stored_preparation import prepare_from, prepare_stored

#: Beside what comes in: as far as a process can give way.
_NICENESS: Final = 19
_LOOK_SECONDS: Final = 1.0
#: Without a step for this long somebody should hear that nobody works.
_STANDSTILL_SECONDS: Final = 15.0
_STANDSTILL: Final = (
    "Nothing is being scored again: is `arcuate infer` running, or is it busy with what comes in? "
    "Ctrl-C leaves what waits; --engine local works here, too."
)


def find_rescoring_model(node: Node, name: str | None, is_shadow: bool) -> RescoringModel:
    """Return the model to score again with, which is installed here and known to the record.

    Raises
    ------
    RescoringRefused
        If there is none, or it is retired.
    ModelNotFound
        If the record knows it, and it is not installed here.
    ModelDamaged
        If its files are not those it was installed with.
    """
    store = open_model_store(node.settings)
    with node.database.transaction() as session:
        register_models(session, with_installed(list_models(session), store))
        models = list_models(session)
    found = rescoring_model(models, name, node.settings.model, is_shadow)
    known = next(model for model in models if model.identity == found.identity)
    load_known(store, known, found.identity.name)
    return found


@contextmanager
def rescoring_beside(
    node: Node, lookout: Lookout, stopping: threading.Event
) -> Iterator[Callable[[], None]]:
    """Yield the loop of a process that scores what comes in: it gives way to that."""
    with ProcessPool(max(1, node.settings.preparation_processes_used), _NICENESS) as pool:
        step = rescore_step(node, pool)
        yield YieldingWorker(node.database, node.settings, step, stopping, lookout=lookout).run


@contextmanager
def working_here(node: Node, processes: int | None) -> Iterator[None]:
    """Work on the jobs in this process and others of its own while the block lasts."""
    stopping = threading.Event()
    with ProcessPool(processors() if processes is None else processes) as pool:
        worker = Worker(node.database, node.settings, rescore_step(node, pool), stopping)
        working = threading.Thread(target=worker.run)
        working.start()
        try:
            yield
        finally:
            stopping.set()
            working.join()


def rescore_step(node: Node, pool: ProcessPool) -> RescoreStep:
    """Return the step, with instances prepared in a pool of processes."""
    here = partial(prepare_from, node.database, node.storage)
    prepare = partial(pool.results, prepare_stored if pool.processes else here)
    return RescoreStep(node.database, node.settings, RescoringModels(node.settings), prepare)


def follow(
    node: Node,
    model: RescoringModel,
    note: Callable[[int], None],
    warn: Callable[[str], None] | None,
) -> int:
    """Wait until nothing waits for a model; return how many jobs failed meanwhile.

    Parameters
    ----------
    note
        Told how many jobs are finished, as they are.
    warn
        Told, once, that nothing moves; None where whoever asks works on it.
    """
    begun = before = _counts(node, model)
    moved_at = monotonic()
    while before.waiting:
        sleep(_LOOK_SECONDS)
        now = _counts(node, model)
        if now.finished > before.finished:
            note(now.finished - before.finished)
            moved_at = monotonic()
        elif warn is not None and monotonic() - moved_at > _STANDSTILL_SECONDS:
            warn(_STANDSTILL)
            warn = None
        before = now
    return before.failed - begun.failed


def _counts(node: Node, model: RescoringModel) -> RescoringCounts:
    with node.database.reading() as session:
        return count_rescoring(session, model)
