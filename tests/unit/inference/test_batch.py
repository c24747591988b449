from dataclasses import dataclass

import pytest

from core.ledger import Claim
from core.tables.jobs import JobKind
from core.values.scan import Device
from inference.analysis import GROUP_SIZE, Analysis
from inference.batch import LONGEST_WAIT_SECONDS, URGENT_WAIT_SECONDS, Batch
from inference.examination import unread
from inference.model_card import ModelKind
from inference.prepared_scan import PreparedScan
from tests.unit.inference.test_outcome import SUBJECT


@dataclass
class Clock:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def batch(clock: Clock) -> Batch:
    return Batch(clock)


def analysis(job_id: int, priority: int = 0) -> Analysis:
    claimed = Claim(job_id, JobKind.ANALYSE, str(job_id), 1, "worker", priority)
    return Analysis(claimed, PreparedScan(SUBJECT, unread(Device(), ModelKind.PROFILE)))


def taken(batch: Batch) -> list[int]:
    return [one.claimed.job_id for one in batch.take()]


def test_empty_batch_is_never_due(batch: Batch) -> None:
    assert batch.seconds_left(more_to_come=False) is None


def test_scan_waits_for_nobody_when_no_other_comes(batch: Batch) -> None:
    batch.add(analysis(1))

    assert batch.seconds_left(more_to_come=False) == 0


@pytest.mark.parametrize(
    ("priority", "patience"), [(0, URGENT_WAIT_SECONDS), (-1, LONGEST_WAIT_SECONDS)]
)
def test_scan_waits_for_others_no_longer_than_its_urgency_allows(
    batch: Batch, clock: Clock, priority: int, patience: float
) -> None:
    batch.add(analysis(1, priority))
    clock.seconds = patience / 2
    batch.add(analysis(2, priority))

    assert batch.seconds_left(more_to_come=True) == pytest.approx(patience / 2)
    clock.seconds = patience
    assert batch.seconds_left(more_to_come=True) == 0


def test_urgent_scan_does_not_wait_as_long_as_those_it_comes_to(batch: Batch) -> None:
    batch.add(analysis(1, priority=-1))
    batch.add(analysis(2))

    assert batch.seconds_left(more_to_come=True) == pytest.approx(URGENT_WAIT_SECONDS)


def test_full_batch_waits_for_nobody_and_takes_no_more_than_fit(batch: Batch) -> None:
    for number in range(GROUP_SIZE + 1):
        batch.add(analysis(number, priority=-1))

    assert batch.seconds_left(more_to_come=True) == 0
    assert taken(batch) == list(range(GROUP_SIZE))
    assert len(batch) == 1


def test_urgent_scans_are_taken_first_each_kind_in_the_order_of_coming(batch: Batch) -> None:
    for number, priority in enumerate((-1, 0, -1, 5, 0)):
        batch.add(analysis(number, priority))

    assert taken(batch) == [3, 1, 4, 0, 2]
