"""Threads that write files as fast as the disk takes them: `python -m …plain_writer`."""

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from arcuate.bench.ingest.encoded_object import Identity, write_identity
from arcuate.bench.ingest.send_plan import SendPlan, Timed
from arcuate.bench.ingest.starting_line import run_worker


@dataclass(frozen=True)
class PlainWriter:
    """Writes one share of the instances, from a buffer of its own."""

    folder: Path
    is_synced: bool
    buffer: bytearray
    places: Mapping[str, int]
    share: tuple[Identity, ...]

    def write_all(self) -> list[float]:
        """Write one file for each identity; return the seconds each took."""
        return [self._write(identity) for identity in self.share]

    def _write(self, identity: Identity) -> float:
        write_identity(self.buffer, self.places, identity)
        started = time.monotonic()
        with (self.folder / identity.sop_instance_uid).open("xb", buffering=0) as file:
            file.write(self.buffer)
            if self.is_synced:
                os.fsync(file.fileno())
        return time.monotonic() - started


def prepare(plan: SendPlan) -> Callable[[], Timed]:
    """Make a writer for each share; return what lets them write, each in its thread."""
    folder, is_synced = Path(plan.target["folder"]), bool(plan.target["is_synced"])
    encoded = plan.stored.load()
    writers = [
        PlainWriter(folder, is_synced, bytearray(encoded.data_set), encoded.places, share)
        for share in plan.shares
    ]

    def run() -> Timed:
        started = time.monotonic()
        with ThreadPoolExecutor(len(writers)) as threads:
            spent = [one for each in threads.map(PlainWriter.write_all, writers) for one in each]
        return Timed(started, time.monotonic(), tuple(spent))

    return run


if __name__ == "__main__":
    run_worker(prepare)
