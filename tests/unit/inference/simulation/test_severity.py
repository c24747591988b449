import numpy as np
import pytest

from inference.errors import TrainingDataInvalid
from inference.simulation.severity import PatternsOfSeverity, SeverityShares, severity
from inference.simulation.wedges import WedgePatterns


class OnlyMild:
    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        return rng.normal(-1, 0.5, (count, 52))


def test_severity_follows_the_mean_deviation() -> None:
    assert severity(np.array([0.0, -5.9, -6.0, -6.1, -12.0, -12.1])).tolist() == [0, 0, 0, 1, 1, 2]


def test_shares_are_those_of_the_eyes() -> None:
    shares = SeverityShares.of(np.array([-1.0, -2.0, -8.0, -20.0]))

    assert shares == SeverityShares(0.5, 0.25, 0.25)


@pytest.mark.parametrize("shares", [(0.5, 0.3, 0.3), (1.2, -0.2, 0.0), (0.0, 0.0, 0.0)])
def test_shares_that_are_none_are_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        SeverityShares(*shares)


@pytest.mark.parametrize("shares", [(0.2, 0.3, 0.5), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)])
def test_patterns_come_in_the_asked_mix(shares: tuple[float, float, float]) -> None:
    source = PatternsOfSeverity(WedgePatterns(), SeverityShares(*shares))

    patterns = source.draw(np.random.default_rng(1), 1500)

    found = SeverityShares.of(patterns.mean(axis=1)).as_array()
    assert found == pytest.approx(np.array(shares), abs=0.05)
    assert len(np.unique(patterns, axis=0)) == 1500


def test_no_pattern_is_drawn_where_none_is_wanted() -> None:
    source = PatternsOfSeverity(WedgePatterns(), SeverityShares(0.2, 0.3, 0.5))

    assert source.draw(np.random.default_rng(1), 0).shape == (0, 52)


def test_severity_the_source_does_not_hold_is_refused() -> None:
    source = PatternsOfSeverity(OnlyMild(), SeverityShares(0.5, 0.0, 0.5))

    with pytest.raises(TrainingDataInvalid, match="too few eyes of a severity"):
        source.draw(np.random.default_rng(1), 10)
