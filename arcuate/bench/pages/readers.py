"""People who click: each asks for one page after the other, and looks at it for a while."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import httpx

from arcuate.bench.pages.rows import result_id
from arcuate.bench.query.population import Population, Study
from core.errors import NodeError
from core.values.laterality import Laterality

#: Between two clicks of one person, seconds.
_LOOKS_SECONDS: Final = (1.0, 3.0)
_SEED: Final = 24_2


class PageWrong(NodeError):
    """A page was answered with an error, or without what it was asked for."""


class PageKind(StrEnum):
    """What is asked for."""

    LIVE = "Live"
    RESULT = "Result"
    PATIENTS = "Patient search"
    PATIENT = "Patient"


@dataclass(frozen=True)
class Click:
    """A page that was asked for; seconds from the request to the last byte."""

    kind: PageKind
    seconds: float


@dataclass(frozen=True)
class Readers:
    """So many people, for a while."""

    base_url: str
    population: Population
    count: int
    seconds: float

    def click(self) -> list[Click]:
        """Let all of them click; return every page they got.

        Raises
        ------
        PageWrong
            If a page is wrong.
        """
        until = time.monotonic() + self.seconds
        with ThreadPoolExecutor(self.count) as pool:
            people = [pool.submit(self._read, number, until) for number in range(self.count)]
            return [click for person in people for click in person.result()]

    def _read(self, number: int, until: float) -> list[Click]:
        # Not for secrets: the same clicks each time.
        chance = random.Random(_SEED + number)  # noqa: S311
        clicks: list[Click] = []
        with httpx.Client(base_url=self.base_url, timeout=60) as client:
            asks = self._asks(client, chance)
            time.sleep(chance.uniform(0, _LOOKS_SECONDS[1]))
            while time.monotonic() < until:
                kind, ask = asks[len(clicks) % len(asks)]
                clicks.append(_timed(kind, ask))
                time.sleep(chance.uniform(*_LOOKS_SECONDS))
        return clicks

    def _asks(
        self, client: httpx.Client, chance: random.Random
    ) -> Sequence[tuple[PageKind, Callable[[], tuple[httpx.Response, str]]]]:
        def study() -> int:
            return chance.randrange(self.population.studies)

        def live() -> tuple[httpx.Response, str]:
            return client.get("/"), "<main"

        def result() -> tuple[httpx.Response, str]:
            number = study()
            name = Study(number).patient.patient_id
            eye = chance.choice(list(Laterality))
            return client.get(f"/predictions/{result_id(number, eye)}"), name

        def patients() -> tuple[httpx.Response, str]:
            patient = Study(study()).patient
            family, _, given = patient.name.partition("^")
            wanted = chance.choice(
                [
                    {"patient_id": patient.patient_id},
                    {"name": family.lower()},
                    {"name": f"{family} {given[:2]}"},
                ]
            )
            return client.post("/patients", data=wanted), family

        def patient() -> tuple[httpx.Response, str]:
            number = Study(study()).patient.number
            return client.get(f"/patients/{number + 1}"), Study(number * 2).patient.patient_id

        return [
            (PageKind.LIVE, live),
            (PageKind.RESULT, result),
            (PageKind.PATIENTS, patients),
            (PageKind.PATIENT, patient),
        ]


def _timed(kind: PageKind, ask: Callable[[], tuple[httpx.Response, str]]) -> Click:
    started = time.perf_counter()
    answer, expected = ask()
    seconds = time.perf_counter() - started
    if not answer.is_success or expected not in answer.text:
        raise PageWrong(f"{kind} was answered with {answer.status_code}, or of somebody else")
    return Click(kind, seconds)


class Devices(threading.Thread):
    """Scans that come in at a steady pace until they are told to stop."""

    def __init__(self, send_one: Callable[[int], object], a_minute: float) -> None:
        super().__init__(name="devices", daemon=True)
        self._send_one = send_one
        self._pause_seconds = 60 / a_minute
        self._stopping = threading.Event()
        self.sent = 0
        self.error: NodeError | None = None

    def run(self) -> None:
        """Send."""
        due = time.monotonic()
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            try:
                self._send_one(self.sent)
            except NodeError as error:
                self.error = error
                return
            self.sent += 1
            due += self._pause_seconds

    def stop(self) -> None:
        """End, and raise what went wrong."""
        self._stopping.set()
        self.join()
        if self.error is not None:
            raise self.error
