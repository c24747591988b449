"""What single stages do by themselves: the limits of the whole."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from sqlmodel import col, select

from arcuate.node import Node, prepare_node
from arcuate.roles import Role
from arcuate.supervisor import Supervisor
from core.ledger import Claim
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind
from inference.loading import active_card
from inference.model_card import ModelCard
from inference.precisions import Precision
from inference.predictor import Predictor
from inference.preparation_pool import PreparationPool
from inference.runtimes.ports import AGE_INPUT
from inference.runtimes.register import runtime_for

_COLLECT_SECONDS: Final = 1.0
_THICKNESS_UM: Final = 95.0
_AGE_YEARS: Final = 60.0


@dataclass(frozen=True)
class PredictorShare:
    """Eyes a second of one batch size: through the predictor, and through the network alone."""

    batch: int
    predictor: float
    bare: float


def preparation_a_second(node: Node, processes: int, scan_uids: Sequence[str]) -> float:
    """Prepare kept scans by as many processes as the node has; return scans a second."""
    waiting = deque(_claims(node, scan_uids))
    settings = node.settings.model_copy(update={"preparation_processes": processes})
    card = active_card(settings)
    limits = {card.kind: card.trained_age_range_years}
    pool, done = PreparationPool(settings), 0
    try:
        pool.wait_until_ready()
        started = time.perf_counter()
        while done < len(scan_uids):
            while waiting and pool.room:
                pool.submit(waiting.popleft(), limits)
            done += len(pool.collect(_COLLECT_SECONDS))
        return done / (time.perf_counter() - started)
    finally:
        pool.close()


def predictor_shares(
    settings: Settings, batches: Sequence[int], repeats: int
) -> list[PredictorShare]:
    """Predict the same eyes through the predictor and through its compiled network, in turn."""
    card = active_card(settings)
    predictor = Predictor.load(card, settings.device)
    bare = runtime_for(card).load(card.weights_path, settings.device, Precision.FLOAT32)
    names = [port.name for port in bare.inputs]
    shares = []
    for batch in batches:
        profiles, ages = _eyes(card, batch)
        arrays = [ages[:, np.newaxis] if name == AGE_INPUT else profiles for name in names]
        works: list[Callable[[], object]] = [
            partial(predictor.predict, profiles, ages),
            partial(bare.run, arrays),
        ]
        seconds = _in_turn(works, repeats)
        shares.append(PredictorShare(batch, *(batch / spent for spent in seconds)))
    return shares


def seconds_to_ready(home: Path) -> float:
    """Start a worker that predicts; return the seconds until it is ready."""
    settings = Settings(home=home, dicom_port=0, http_port=0, auth="none", log_level="error")
    prepare_node(settings).database.close()
    supervisor = Supervisor(settings, [Role.INFER])
    started = time.perf_counter()
    try:
        supervisor.start()
        return time.perf_counter() - started
    finally:
        supervisor.stop()


def _claims(node: Node, scan_uids: Sequence[str]) -> list[Claim]:
    statement = select(InstanceRow.id).where(col(InstanceRow.sop_instance_uid).in_(scan_uids))
    with node.database.reading() as session:
        keys = session.exec(statement).all()
    return [Claim(number, JobKind.ANALYSE, str(key), 1, "bench") for number, key in enumerate(keys)]


def _eyes(card: ModelCard, count: int) -> tuple[np.ndarray, np.ndarray]:
    profiles = np.full((count, *card.inputs[0].shape), _THICKNESS_UM, np.float32)
    return profiles, np.full(count, _AGE_YEARS, np.float32)


def _in_turn(works: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Return the median seconds of each, once they are warm."""
    spent: list[list[float]] = [[] for _ in works]
    for turn in range(repeats + 1):
        for number, work in enumerate(works):
            started = time.perf_counter()
            work()
            if turn:
                spent[number].append(time.perf_counter() - started)
    return [float(np.median(seconds)) for seconds in spent]
