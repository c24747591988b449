"""What is asked: studies by patient, by days and by the beginning of a name; answers are known."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from arcuate.bench.query.population import Population, Study

#: Days in a range: with a hundred thousand studies these are sixty of them.
_DAYS: Final = 3
_SEED: Final = 5


class QuestionKind(StrEnum):
    """By what is asked."""

    PATIENT_ID = "patient_id"
    DATES = "dates"
    NAME = "name"


@dataclass(frozen=True)
class Question:
    """A query at the study level, and how many studies answer it."""

    kind: QuestionKind
    keyword: str
    value: str
    expected: int


def questions(population: Population, count: int) -> dict[QuestionKind, Sequence[Question]]:
    """Return so many different questions of each kind, the same ones for everybody."""
    studies = [Study(number) for number in range(population.studies)]
    # Not for secrets: the same questions each time.
    chance = random.Random(_SEED)  # noqa: S311
    makers: dict[QuestionKind, Callable[[Sequence[Study]], Iterator[Question]]] = {
        QuestionKind.PATIENT_ID: _by_patient,
        QuestionKind.DATES: _by_days,
        QuestionKind.NAME: _by_name,
    }
    made = {kind: list(make(studies)) for kind, make in makers.items()}
    return {kind: chance.sample(all_, min(count, len(all_))) for kind, all_ in made.items()}


def _by_patient(studies: Sequence[Study]) -> Iterator[Question]:
    for patient_id, number in Counter(one.patient.patient_id for one in studies).items():
        yield Question(QuestionKind.PATIENT_ID, "PatientID", patient_id, number)


def _by_days(studies: Sequence[Study]) -> Iterator[Question]:
    known = Counter(one.day for one in studies)
    for first in known:
        days = [first + timedelta(days=n) for n in range(_DAYS)]
        number = sum(known[day] for day in days)
        value = f"{days[0]:%Y%m%d}-{days[-1]:%Y%m%d}"
        yield Question(QuestionKind.DATES, "StudyDate", value, number)


def _by_name(studies: Sequence[Study]) -> Iterator[Question]:
    for family, number in Counter(one.patient.name.split("^")[0] for one in studies).items():
        yield Question(QuestionKind.NAME, "PatientName", f"{family}*", number)
