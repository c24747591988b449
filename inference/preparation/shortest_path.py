"""The cheapest path through an image from its first to its last column."""

import numpy as np
from numpy.typing import NDArray

_UNREACHABLE = np.float32(1e9)


def shortest_path(
    cost: NDArray[np.float32], step_rows: int, step_penalty: float
) -> NDArray[np.intp]:
    """Return the row of the cheapest path in each column.

    The path changes by at most `step_rows` rows from one column to the next and pays
    `step_penalty` times the square of that change beside the cost of the pixels it crosses.

    Parameters
    ----------
    cost
        float32, shape (rows, columns), finite.

    Returns
    -------
    numpy.ndarray
        Integer rows, shape (columns,).
    """
    rows, columns = cost.shape
    steps = np.arange(-step_rows, step_rows + 1)
    penalties = (step_penalty * steps.astype(np.float32) ** 2)[:, np.newaxis]
    came_from = np.empty((columns, rows), np.int8)
    padded = np.full(rows + 2 * step_rows, _UNREACHABLE, np.float32)
    # A view: row r of every window holds the total of the neighbours r - step_rows … r + step_rows.
    windows = np.lib.stride_tricks.sliding_window_view(padded, rows)
    by_column = np.ascontiguousarray(cost.T)
    every_row = np.arange(rows)
    padded[step_rows:-step_rows] = by_column[0]
    for column in range(1, columns):
        candidates = windows + penalties
        best = candidates.argmin(axis=0)
        came_from[column] = best
        padded[step_rows:-step_rows] = candidates[best, every_row] + by_column[column]
    last = int(padded[step_rows:-step_rows].argmin())
    return _walk_back(came_from, last, step_rows)


def _walk_back(came_from: NDArray[np.int8], last_row: int, step_rows: int) -> NDArray[np.intp]:
    path = np.empty(len(came_from), np.intp)
    row = last_row
    for column in range(len(came_from) - 1, -1, -1):
        path[column] = row
        row += int(came_from[column, row]) - step_rows if column else 0
    return path


def closed_shortest_path(
    cost: NDArray[np.float32], step_rows: int, step_penalty: float, overlap_columns: int
) -> NDArray[np.intp]:
    """Return the cheapest path through an image whose last column borders its first.

    The image is continued by `overlap_columns` of itself on both sides, so that the path meets
    itself at the seam.
    """
    columns = cost.shape[1]
    overlap = min(overlap_columns, columns)
    padded = np.concatenate((cost[:, columns - overlap :], cost, cost[:, :overlap]), axis=1)
    return shortest_path(padded, step_rows, step_penalty)[overlap : overlap + columns]
