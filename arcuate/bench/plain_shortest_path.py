"""The cheapest path as a textbook writes it: what the fast search is held against."""

import numpy as np
from numpy.typing import NDArray


def plain_shortest_path(
    cost: NDArray[np.float32], step_rows: int, step_penalty: float
) -> NDArray[np.intp]:
    """Return the row of the cheapest path in each column, remembering every step on the way.

    The same path as `inference.preparation.shortest_path.shortest_path`, which see for the rule.
    """
    rows, columns = cost.shape
    steps = np.arange(-step_rows, step_rows + 1)
    penalties = (step_penalty * steps.astype(np.float32) ** 2)[:, np.newaxis]
    came_from = np.zeros((columns, rows), np.intp)
    total = cost[:, 0]
    for column in range(1, columns):
        padded = np.pad(total, step_rows, constant_values=np.float32(1e9))
        before = np.stack([padded[step_rows + step :][:rows] for step in steps])
        candidates = before + penalties.astype(np.float32)
        came_from[column] = candidates.argmin(axis=0)
        total = candidates.min(axis=0) + cost[:, column]
    path = np.empty(columns, np.intp)
    path[-1] = total.argmin()
    for column in range(columns - 1, 0, -1):
        path[column - 1] = path[column] + steps[came_from[column, path[column]]]
    return path
