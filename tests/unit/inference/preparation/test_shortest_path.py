from itertools import pairwise, product

import numpy as np
import pytest
from numpy.typing import NDArray

from arcuate.bench.plain_shortest_path import plain_shortest_path
from inference.preparation.shortest_path import closed_shortest_path, shortest_path


def total(cost: NDArray[np.float32], path: tuple[int, ...], penalty: float) -> float:
    steps = sum((after - before) ** 2 for before, after in pairwise(path))
    return sum(float(cost[row, column]) for column, row in enumerate(path)) + penalty * steps


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("step_rows", [1, 2])
def test_shortest_path_costs_no_more_than_any_other(seed: int, step_rows: int) -> None:
    cost = np.random.default_rng(seed).random((5, 6)).astype(np.float32)
    allowed = (
        path
        for path in product(range(5), repeat=6)
        if all(abs(a - b) <= step_rows for a, b in pairwise(path))
    )

    found = tuple(int(row) for row in shortest_path(cost, step_rows, 0.1))

    cheapest = min(total(cost, path, 0.1) for path in allowed)
    assert total(cost, found, 0.1) == pytest.approx(cheapest, abs=1e-5)


@pytest.mark.parametrize("levels", [3, 4096])
@pytest.mark.parametrize(("step_rows", "penalty"), [(1, 0.0), (2, 0.05), (3, 0.3)])
def test_shortest_path_is_the_one_of_the_plain_search_also_among_equals(
    step_rows: int, penalty: float, levels: int
) -> None:
    cost = np.random.default_rng(11).integers(0, levels, (60, 300)).astype(np.float32) / levels

    found = shortest_path(cost, step_rows, penalty)

    np.testing.assert_array_equal(found, plain_shortest_path(cost, step_rows, penalty))


def test_shortest_path_never_leaps_further_than_allowed() -> None:
    cost = np.random.default_rng(7).random((40, 200)).astype(np.float32)

    path = shortest_path(cost, 2, 0.0)

    assert int(np.abs(np.diff(path)).max()) == 2


def test_shortest_path_closed_meets_itself_at_the_seam() -> None:
    columns = 120
    rows = np.round(20 + 10 * np.sin(2 * np.pi * np.arange(columns) / columns)).astype(int)
    cost = np.ones((40, columns), np.float32)
    cost[rows, np.arange(columns)] = 0

    np.testing.assert_array_equal(closed_shortest_path(cost, 2, 0.01, 30), rows)


def test_shortest_path_closed_does_not_depend_on_where_the_scan_starts() -> None:
    cost = np.random.default_rng(3).random((30, 150)).astype(np.float32)

    turned = closed_shortest_path(np.roll(cost, 60, axis=1), 2, 0.05, 150)

    np.testing.assert_array_equal(turned, np.roll(closed_shortest_path(cost, 2, 0.05, 150), 60))
