import numpy as np
import pytest

from inference.intervals import INTERVAL_LEVEL, IntervalTable, fit_intervals


def table(**changes: object) -> IntervalTable:
    values: dict[str, object] = {
        "level": 0.9,
        "edges_db": (10.0, 20.0),
        "lower_offsets_db": (-9.0, -6.0, -3.0),
        "upper_offsets_db": (8.0, 5.0, 2.0),
    }
    return IntervalTable(**(values | changes))  # type: ignore[arg-type]


def noisy_pairs(seed: int, count: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Estimates over all ranges, and measurements with skewed errors that grow at low estimates."""
    rng = np.random.default_rng(seed)
    estimates = rng.uniform(0, 35, (count, 52)).astype(np.float32)
    spread = 1 + (35 - estimates) / 10
    measured = estimates + spread * (rng.exponential(1, estimates.shape) - 1)
    return estimates, measured.astype(np.float32)


def test_limits_take_the_offsets_of_the_range_of_the_estimate() -> None:
    lower, upper = table().limits_db(np.array([[5, 10, 15, 30]], dtype=np.float32))

    assert lower.tolist() == [[-4, 4, 9, 27]]
    assert upper.tolist() == [[13, 15, 20, 32]]
    assert lower.dtype == upper.dtype == np.float32


def test_fitted_intervals_hold_the_asked_share_of_new_pairs_in_every_range() -> None:
    intervals = fit_intervals(*noisy_pairs(seed=1))
    estimates, measured = noisy_pairs(seed=2)

    lower, upper = intervals.limits_db(estimates)

    inside = (measured >= lower) & (measured <= upper)
    ranges = np.digitize(estimates, intervals.edges_db)
    shares = [inside[ranges == index].mean() for index in range(len(intervals.edges_db) + 1)]
    assert len(shares) == 15
    assert shares == pytest.approx([INTERVAL_LEVEL] * len(shares), abs=0.02)


def test_fitted_intervals_are_as_lopsided_as_the_errors() -> None:
    intervals = fit_intervals(*noisy_pairs(seed=1))

    for lower, upper in zip(intervals.lower_offsets_db, intervals.upper_offsets_db, strict=True):
        assert 0 < -lower < upper


def test_fit_intervals_refuses_a_thinly_filled_range() -> None:
    estimates = np.linspace(0, 30, 5 * 52, dtype=np.float32).reshape(5, 52)

    with pytest.raises(ValueError, match="too few"):
        fit_intervals(estimates, estimates)


@pytest.mark.parametrize(
    "changes",
    [{"lower_offsets_db": (-1.0, -1.0)}, {"lower_offsets_db": (-1.0, 1.0, -1.0)}],
    ids=["too-short", "above-the-estimate"],
)
def test_interval_table_refuses_offsets_that_do_not_fit(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="interval table"):
        table(**changes)


def test_limits_take_the_factors_of_the_range_times_the_spread() -> None:
    factors = IntervalTable(
        0.9, (10.0, 20.0), lower_factors=(1.0, 2.0, 0.5), upper_factors=(1.5, 1.0, 0.0)
    )
    estimates = np.array([[5, 15, 30]], dtype=np.float32)
    spread = np.array([[[2, 4], [3, 1], [4, 9]]], dtype=np.float32)

    lower, upper = factors.limits_db(estimates, spread)

    assert factors.needs_spread
    assert lower.tolist() == [[3, 9, 28]]
    assert upper.tolist() == [[11, 16, 30]]
    with pytest.raises(ValueError, match="need the spread"):
        factors.limits_db(estimates)


def test_factors_mend_a_spread_that_is_wrong_by_a_share() -> None:
    estimates, measured = noisy_pairs(seed=1)
    truth = np.abs(1 + (35 - estimates) / 10)[:, :, np.newaxis]
    spread = np.concatenate([0.5 * truth, 3.0 * truth], axis=2).astype(np.float32)

    intervals = fit_intervals(estimates, measured, spread)
    lower, upper = intervals.limits_db(estimates, spread)

    assert np.mean((measured >= lower) & (measured <= upper)) == pytest.approx(0.9, abs=0.01)
    # The errors reach at most one unit of truth below, where half of one was foretold.
    assert intervals.lower_factors == pytest.approx([1.9] * 15, abs=0.15)


def test_eyes_that_count_more_are_held_better() -> None:
    rng = np.random.default_rng(6)
    estimates = rng.uniform(0, 35, (3000, 52)).astype(np.float32)
    rare = np.arange(3000) % 10 == 0
    errors = rng.normal(0, np.where(rare, 6, 2)[:, np.newaxis], estimates.shape)
    measured = (estimates + errors).astype(np.float32)

    def held(weights: np.ndarray | None) -> float:
        table = fit_intervals(estimates, measured, eye_weights=weights)
        lower, upper = table.limits_db(estimates)
        return float(np.mean(((measured >= lower) & (measured <= upper))[rare]))

    assert held(np.where(rare, 4.0, 1.0)) > held(None) + 0.05


@pytest.mark.parametrize(
    "columns",
    [{"lower_factors": (1.0,), "upper_factors": (-1.0,)}, {"lower_factors": (1.0,)}, {}],
    ids=["negative", "one-side", "nothing"],
)
def test_interval_table_refuses_factors_that_mean_nothing(columns: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="interval table"):
        IntervalTable(0.9, (), **columns)  # type: ignore[arg-type]
