from api.door import Recently
from api.rates import Rates


class Clock:
    """A clock that a test sets, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_bucket_is_emptied_by_asking_and_fills_again() -> None:
    clock = Clock()
    rates = Rates(per_minute=6, clock=clock)

    assert [rates.take("one") for _ in range(6)] == [0.0] * 6
    assert rates.take("one") == 10.0
    clock.now += 4
    assert rates.take("one") == 6.0
    clock.now += 6
    assert rates.take("one") == 0.0
    assert rates.take("one") == 10.0


def test_each_name_has_a_bucket_of_its_own() -> None:
    rates = Rates(per_minute=1, clock=Clock())

    assert (rates.take("one"), rates.take("two"), rates.take("one")) == (0.0, 0.0, 60.0)


def test_bucket_holds_no_more_than_a_minute_brings() -> None:
    clock = Clock()
    rates = Rates(per_minute=2, clock=clock)
    rates.take("one")
    clock.now += 3600

    assert [rates.take("one") for _ in range(3)] == [0.0, 0.0, 30.0]


def test_zero_is_any_number() -> None:
    rates = Rates(per_minute=0, clock=Clock())

    assert {rates.take("one") for _ in range(1000)} == {0.0}


def test_those_that_asked_longest_ago_are_forgotten() -> None:
    rates = Rates(per_minute=1, most_names=2, clock=Clock())
    for name in ("one", "two", "three"):
        rates.take(name)

    assert (rates.take("three"), rates.take("one")) == (60.0, 0.0)


def test_what_was_done_lately_is_due_again_later() -> None:
    clock = Clock()
    uses = Recently(60.0, clock)

    assert (uses.is_due("a"), uses.is_due("a"), uses.is_due("b")) == (True, False, True)
    clock.now += 59
    assert not uses.is_due("a")
    clock.now += 1
    assert uses.is_due("a")
    assert not uses.is_due("a")
