"""The runs: scans one by one, as many as fit, and at half of that rate."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydicom import dcmread

from arcuate.bench.pipeline import CALLING_AE_TITLE, NoPrediction
from arcuate.bench.scoring.contestants import Contestant
from arcuate.waiting import wait_until
from dicom_node.scu.store import send

_LOOK_SECONDS: Final = 0.005
_PATIENCE_SECONDS: Final = 600.0


@dataclass(frozen=True)
class Copy:
    """A copy of a study, the scan first."""

    paths: Sequence[Path]

    @property
    def scan_uid(self) -> str:
        """SOP Instance UID of the scan."""
        return str(dcmread(self.paths[0], stop_before_pixels=True).SOPInstanceUID)


@dataclass
class Watch:
    """Sees results come; the same eyes for every contestant."""

    contestant: Contestant
    _seen: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look every 5 ms until the block ends."""
        ending = threading.Event()

        def look() -> None:
            while not ending.wait(_LOOK_SECONDS):
                now = time.perf_counter()
                self._seen |= dict.fromkeys(self.contestant.results(), now)

        looking = threading.Thread(target=look)
        looking.start()
        try:
            yield
        finally:
            ending.set()
            looking.join()

    def wait_for(self, uids: Sequence[str]) -> Mapping[str, float]:
        """Return when the result of each scan was there, by `time.perf_counter`.

        Raises
        ------
        NoPrediction
            If one does not come.
        ServerFailed
            If the contestant ended.
        """

        def are_there() -> bool:
            self.contestant.check()
            return self._seen.keys() >= set(uids)

        if not wait_until(are_there, _PATIENCE_SECONDS):
            raise NoPrediction(f"{self.contestant.name} gave no result of some scans")
        return {uid: self._seen[uid] for uid in uids}


def singles(contestant: Contestant, copies: Sequence[Copy]) -> list[float]:
    """Send each copy when the last one has its result; return seconds from response to result."""
    watch, spent = Watch(contestant), []
    with watch.watching():
        for copy in copies:
            answered = _send(contestant, [copy])
            spent.append(watch.wait_for([copy.scan_uid])[copy.scan_uid] - answered)
    return spent


def burst(contestant: Contestant, copies: Sequence[Copy]) -> float:
    """Send all copies at once; return scans a second, from the first byte to the last result."""
    watch, uids = Watch(contestant), [copy.scan_uid for copy in copies]
    with watch.watching():
        started = time.perf_counter()
        _send(contestant, copies)
        return len(copies) / (max(watch.wait_for(uids).values()) - started)


def paced(contestant: Contestant, copies: Sequence[Copy], a_second: float) -> list[float]:
    """Send copies evenly at a rate; return the seconds from each one's response to its result."""
    watch, answered = Watch(contestant), dict[str, float]()
    with watch.watching():
        started = time.perf_counter()
        for number, copy in enumerate(copies):
            time.sleep(max(0.0, started + number / a_second - time.perf_counter()))
            answered[copy.scan_uid] = _send(contestant, [copy])
        there = watch.wait_for(list(answered))
    return [there[uid] - answered[uid] for uid in answered]


def _send(contestant: Contestant, copies: Sequence[Copy]) -> float:
    """Send copies over one association; return when the first scan was answered."""
    paths = [path for copy in copies for path in copy.paths]
    first = None
    for answer in send(paths, contestant.peer, CALLING_AE_TITLE):
        first = first or time.perf_counter()
        if not answer.is_kept:
            raise NoPrediction(f"{contestant.name} did not take a scan: {answer.message}")
    return first or time.perf_counter()
