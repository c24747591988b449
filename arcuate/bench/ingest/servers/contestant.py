"""What every receiver offers to the comparison, and how the ones on a port are measured."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from arcuate.bench.ingest.choices import PeerName
from arcuate.bench.ingest.encoded_object import Identity
from arcuate.bench.ingest.figures import Figures
from arcuate.bench.ingest.load import Load
from arcuate.bench.ingest.send_plan import SendPlan
from arcuate.bench.ingest.server_process import HOST, ServerProcess
from arcuate.bench.ingest.usage import watching
from arcuate.bench.ingest.workers import ready_workers

CALLING_AE_TITLE: Final = "BENCH"
_SENDER: Final = "arcuate.bench.ingest.raw_sender"


class Contestant(Protocol):
    """One way to keep what is sent."""

    @property
    def title(self) -> str:
        """What the table calls it."""

    @property
    def peer(self) -> PeerName | None:
        """Which peer it is a way of; None for ourselves."""

    def check(self) -> None:
        """Raise PeerMissing where something it needs is not installed."""

    def measure(self, load: Load, associations: int, folder: Path) -> Figures:
        """Store the load into that empty folder, once.

        Raises
        ------
        ServerFailed, SendFailed
            If it does not start, or does not take what is sent.
        """


@dataclass(frozen=True)
class RunningServer:
    """A receiver that listens.

    Attributes
    ----------
    read_kept
        Returns the digest of each kept data set by SOP Instance UID; called once it has stopped.
    """

    process: ServerProcess
    called_ae_title: str
    port: int
    read_kept: Callable[[], Mapping[str, str]]


def measure_server(
    running: AbstractContextManager[RunningServer], load: Load, associations: int
) -> Figures:
    """Store one instance to warm up, then the load; stop the receiver and read what it kept."""
    with running as server:
        _send(server, load, [(load.warm_up,)])
        plans = _plans(server, load, load.shares(associations))
        with ready_workers(_SENDER, plans) as workers, watching(server.process.process_id) as usage:
            times = workers.go()
        server.process.stop()
        is_verified = server.read_kept() == load.digests
    return Figures.of_run(load, times, usage, is_verified)


def _send(server: RunningServer, load: Load, shares: list[tuple[Identity, ...]]) -> None:
    with ready_workers(_SENDER, _plans(server, load, shares)) as workers:
        workers.go()


def _plans(server: RunningServer, load: Load, shares: list[tuple[Identity, ...]]) -> list[SendPlan]:
    target = {
        "host": HOST,
        "port": server.port,
        "calling_ae_title": CALLING_AE_TITLE,
        "called_ae_title": server.called_ae_title,
    }
    return [SendPlan(target, load.stored, (share,)) for share in shares]
