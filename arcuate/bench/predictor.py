"""How fast the network itself is: each runtime at each size of batch, in turn, and how busy."""

import os
import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from arcuate.bench.inference_choices import RuntimeName
from core.metrics.gpus import read_gpus
from core.settings import Settings
from inference.cpu_runtime import equal_export
from inference.errors import RuntimeUnavailable
from inference.exported import Export
from inference.model_card import ModelCard, ModelFormat
from inference.precision import load_network
from inference.probe import probe_eyes
from inference.runtimes.network import BATCH_SIZES, Network
from inference.runtimes.register import KERAS_BACKEND

COLUMNS: Final = (
    *("runtime", "device", "batch", "milliseconds", "scans_per_second"),
    *("times_as_fast", "processors", "gpu"),
)
#: In so many turns each runtime has its time, so that whatever else the machine does slows all.
_TURNS: Final = 3
_LOOK_SECONDS: Final = 0.25


@dataclass
class PredictorFigures:
    """One runtime at one size of batch.

    Attributes
    ----------
    seconds
        Of each batch.
    busy
        Processors kept busy, one number a turn.
    gpu_shares
        Share of time in which the busiest GPU computed, as often as the driver was asked.
    """

    runtime: str
    device: str
    batch: int
    seconds: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    gpu_shares: list[float] = field(default_factory=list)

    @property
    def median_seconds(self) -> float:
        """Of one batch."""
        return statistics.median(self.seconds)

    def row(self, first: "PredictorFigures") -> Mapping[str, object]:
        """Return the figures as a line of a table, beside those of the runtime named first."""
        return {
            "runtime": self.runtime,
            "device": self.device,
            "batch": self.batch,
            "milliseconds": round(1000 * self.median_seconds, 3),
            "scans_per_second": round(self.batch / self.median_seconds, 1),
            "times_as_fast": round(first.median_seconds / self.median_seconds, 2),
            "processors": round(statistics.mean(self.busy), 2),
            "gpu": round(statistics.mean(self.gpu_shares), 2) if self.gpu_shares else None,
        }


def choose_keras_library(runtimes: Sequence[RuntimeName]) -> None:
    """Let Keras run on the library that is measured, before anything loads it.

    Raises
    ------
    RuntimeUnavailable
        If two are: it runs on one in a process.
    """
    wanted = [name for name in runtimes if name is not RuntimeName.ONNX]
    if len(set(wanted)) > 1:
        raise RuntimeUnavailable("Keras runs on one library a process. Measure jax by itself.")
    # What writes the ONNX file needs TensorFlow.
    chosen = RuntimeName.TENSORFLOW if RuntimeName.ONNX in runtimes else None
    if library := (wanted[0] if wanted else chosen):
        os.environ[KERAS_BACKEND] = str(library)


def measure_predictor(
    card: ModelCard,
    settings: Settings,
    runtimes: Sequence[RuntimeName],
    batches: Sequence[int],
    seconds: float,
) -> Iterator[Mapping[str, object]]:
    """Yield a row for each size of batch and runtime, as they are measured.

    Parameters
    ----------
    seconds
        For each row.

    Raises
    ------
    ExportRefused
        If the network gives other fields on ONNX Runtime.
    DeviceUnavailable, ModelDamaged, RuntimeUnavailable
        As `Predictor.load`.
    """
    networks = {name: _load(card, settings, name, batches) for name in runtimes}
    for batch in batches:
        figures = [
            PredictorFigures(str(name), str(network.device_used), batch)
            for name, network in networks.items()
        ]
        for _ in range(_TURNS):
            for found, network in zip(figures, networks.values(), strict=True):
                _measure(network, card, found, seconds / _TURNS)
        for found in figures:
            yield found.row(figures[0])


def _load(
    card: ModelCard, settings: Settings, name: RuntimeName, batches: Sequence[int]
) -> Network:
    if name is RuntimeName.ONNX and card.format is ModelFormat.KERAS:
        network = equal_export(Export.open(card, settings.home / "exports"), card)
    else:
        network = load_network(card, settings.device)
    network.use_batches(tuple(sorted({*BATCH_SIZES, *batches})))
    return network


def _measure(network: Network, card: ModelCard, found: PredictorFigures, seconds: float) -> None:
    eyes = probe_eyes(card, found.batch)
    # Once without looking: a size that is new is prepared for.
    network.answer(*eyes)
    started, busy = time.perf_counter(), time.process_time()
    with _looking_at_gpus(found.gpu_shares):
        while not found.seconds or time.perf_counter() - started < seconds:
            began = time.perf_counter()
            network.answer(*eyes)
            found.seconds.append(time.perf_counter() - began)
    found.busy.append((time.process_time() - busy) / (time.perf_counter() - started))


@contextmanager
def _looking_at_gpus(shares: list[float]) -> Iterator[None]:
    if not read_gpus():
        yield
        return
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_SECONDS):
            shares.extend([max(gpu.utilization for gpu in gpus)] if (gpus := read_gpus()) else [])

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()
