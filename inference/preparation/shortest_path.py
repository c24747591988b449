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
    penalties = (step_penalty * steps.astype(np.float32) ** 2).astype(np.float32)
    # Row r of a column's windows holds the totals of the rows r - step_rows … r + step_rows.
    totals = np.full((columns, rows + 2 * step_rows), _UNREACHABLE, np.float32)
    inside = totals[:, step_rows : step_rows + rows]
    windows = np.lib.stride_tricks.sliding_window_view(totals, rows, axis=1)
    inside[:] = cost.T
    candidates = np.empty((len(steps), rows), np.float32)
    cheapest = np.empty(rows, np.float32)
    by_step = penalties[:, np.newaxis]
    for before, total in zip(windows[:-1], inside[1:], strict=True):
        np.add(before, by_step, out=candidates)
        np.minimum.reduce(candidates, axis=0, out=cheapest)
        np.add(total, cheapest, out=total)
    return _walk_back(totals, penalties, int(inside[-1].argmin()))


def _walk_back(
    totals: NDArray[np.float32], penalties: NDArray[np.float32], last_row: int
) -> NDArray[np.intp]:
    """Return the path that ends in a row: only its own steps are worked out again.

    Remembering the step into every pixel would cost more than the search itself.
    """
    reach = len(penalties) // 2
    path = np.empty(len(totals), np.intp)
    path[-1] = row = last_row
    for column in range(len(totals) - 2, -1, -1):
        candidates = totals[column, row : row + len(penalties)] + penalties
        row += int(candidates.argmin()) - reach
        path[column] = row
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
