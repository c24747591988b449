"""Every series of this node as it is now, whatever of it is away."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from threading import Lock
from typing import Final

from api.dependencies import Node
from core.errors import InfrastructureError
from core.logs import get_logger
from core.metrics.counting import Series
from core.metrics.gpus import read_gpus
from core.metrics.lookups import look_up
from core.metrics.register import (
    DATABASE_UP,
    GPU_MEMORY,
    GPU_MEMORY_USED,
    GPU_USE,
    NODE,
    STORAGE_FREE,
    STORAGE_MINIMUM,
    STORAGE_UP,
    STORAGE_WAITING,
    STORAGE_WAITING_AGE,
    STORAGE_WAITING_BYTES,
)
from core.metrics.totals import count_changes, read_totals
from dicom_node.storage.waiting import Waiting

_log = get_logger(__name__)
_MIB: Final = 1 << 20


@dataclass(frozen=True)
class MetricReader:
    """What reads the metrics of a node."""

    node: Node
    _counting: Lock = field(default_factory=Lock)

    def read(self) -> Mapping[Series, float]:
        """Return every series; where a part is away, what is known without it."""
        return {**self._of_database(), **self._of_storage(), **_of_host()}

    def _of_database(self) -> dict[Series, float]:
        database = self.node.database
        try:
            # Of two monitors that ask at once one counts, and both read.
            with self._counting:
                count_changes(database)
            with database.reading() as session:
                found = {**read_totals(session), **look_up(session, self.node.settings.model)}
        except InfrastructureError as error:
            _log.warning("metrics_without_database", error=str(error))
            return {(DATABASE_UP.name, ()): 0}
        return {**found, (DATABASE_UP.name, ()): 1}

    def _of_storage(self) -> dict[Series, float]:
        minimum = self.node.settings.minimum_free_mib * _MIB
        found: dict[Series, float] = {(STORAGE_MINIMUM.name, ()): minimum}
        try:
            found |= _of_waiting(self.node.storage.waiting())
            found[STORAGE_FREE.name, ()] = self.node.storage.free_bytes()
            self.node.storage.reach()
        except InfrastructureError:
            return {**found, (STORAGE_UP.name, ()): 0}
        return {**found, (STORAGE_UP.name, ()): 1}


def _of_waiting(waiting: Waiting) -> dict[Series, float]:
    age = 0.0 if waiting.since is None else max(0.0, time.time() - waiting.since)
    return {
        (STORAGE_WAITING.name, ()): waiting.files,
        (STORAGE_WAITING_BYTES.name, ()): waiting.size_bytes,
        (STORAGE_WAITING_AGE.name, ()): age,
    }


def _of_host() -> dict[Series, float]:
    found: dict[Series, float] = {(NODE.name, (version("arcuate"),)): 1}
    for gpu in read_gpus():
        labels = (gpu.index,)
        found[GPU_MEMORY_USED.name, labels] = gpu.used_bytes
        found[GPU_MEMORY.name, labels] = gpu.total_bytes
        found[GPU_USE.name, labels] = gpu.utilization
    return found
