"""Everyone is asked the same in turn, question by question, and each answer is counted."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from arcuate.bench.ingest.databases import BenchDatabase
from arcuate.bench.ingest.figures import percentile
from arcuate.bench.query.asking import AnswerWrong, Asking
from arcuate.bench.query.doors import WAYS, Doors, Tell, orthanc, ourselves
from arcuate.bench.query.population import Population
from arcuate.bench.query.questions import Question, QuestionKind, questions

#: A hundred thousand studies with a million instances.
STUDIES: Final = 100_000
QUESTIONS: Final = 100
#: Asked before anything is measured: connections, caches and compiled statements are warm then.
_WARM_UP: Final = 5


@dataclass(frozen=True)
class Figures:
    """What one way to ask one server about one kind of question took.

    Attributes
    ----------
    seconds
        From the request to the end of its answer, question by question.
    studies
        Told in all answers together.
    """

    server: str
    way: str
    kind: QuestionKind
    seconds: Sequence[float]
    studies: int

    def at(self, share: float) -> float:
        """Return the milliseconds that this share of the answers did not exceed."""
        return percentile(self.seconds, share) * 1000


@dataclass(frozen=True)
class Measurement:
    """Which servers, how large, how many questions of each kind."""

    databases: Sequence[BenchDatabase]
    with_orthanc: bool
    population: Population = field(default_factory=lambda: Population(STUDIES))
    count: int = QUESTIONS
    folder: Path | None = None

    def figures(self, tell: Tell) -> list[Figures]:
        """Fill, ask and count.

        Raises
        ------
        AnswerWrong
            If anyone tells another number of studies than there are.
        ServerFailed, PeerMissing
            If one does not start, or is not installed.
        """
        with ExitStack() as stack:
            place = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="arcuate-bench-", dir=self.folder)
            )
            servers = list(self._servers(stack, Path(place), tell))
            asked = questions(self.population, self.count)
            return [
                one
                for kind in QuestionKind
                for way in WAYS
                for one in _ask_in_turn(servers, way, kind, asked[kind], tell)
            ]

    def _servers(self, stack: ExitStack, place: Path, tell: Tell) -> Iterator[Doors]:
        for database in self.databases:
            own = place / database.name
            own.mkdir()
            yield stack.enter_context(ourselves(database, self.population, own, tell))
        if self.with_orthanc:
            own = place / "orthanc"
            own.mkdir()
            yield stack.enter_context(orthanc(self.population, own, tell))


def _ask_in_turn(
    servers: Sequence[Doors], way: str, kind: QuestionKind, asked: Sequence[Question], tell: Tell
) -> list[Figures]:
    tell(f"asking by {kind} over {way}")
    # Opened for this kind of question alone: a server ends an association that says nothing
    # while the other ways are asked (Orthanc after 30 s).
    with ExitStack() as stack:
        opened = {
            server.title: stack.enter_context(closing(WAYS[way](server))) for server in servers
        }
        for asking in opened.values():
            for question in asked[:_WARM_UP]:
                asking.ask(question)
        return _measured(opened, way, kind, asked)


def _measured(
    opened: Mapping[str, Asking], way: str, kind: QuestionKind, asked: Sequence[Question]
) -> list[Figures]:
    seconds: dict[str, list[float]] = {title: [] for title in opened}
    studies = dict.fromkeys(opened, 0)
    for question in asked:
        for title, asking in opened.items():
            answer = asking.ask(question)
            if answer.studies != question.expected:
                raise AnswerWrong(
                    f"{title} told {answer.studies} studies of {question.expected} over {way} "
                    f"({kind})"
                )
            seconds[title].append(answer.seconds)
            studies[title] += answer.studies
    return [Figures(title, way, kind, spent, studies[title]) for title, spent in seconds.items()]
