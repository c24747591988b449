"""The grid a B-scan is measured on, the same for every device."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Rows as far apart as Spectralis has them; the steps and windows of the search are in such rows.
ROW_UM: Final = 3.872
COLUMNS: Final = 768
#: Closer than this to the row distance the rows are left as they are.
_SAME_SHARE: Final = 0.08


@dataclass(frozen=True)
class WorkingGrid:
    """How a B-scan is brought to the grid and what is found there back to its own rows.

    Attributes
    ----------
    rows, columns
        Size of the B-scan.
    row_um
        Distance of the rows on the grid in micrometre.
    rows_a_row
        Rows of the B-scan to one row of the grid.
    """

    rows: int
    columns: int
    row_um: float
    rows_a_row: float

    @classmethod
    def of(cls, rows: int, columns: int, axial_um: float) -> "WorkingGrid":
        """Return the grid for a B-scan with rows `axial_um` micrometre apart."""
        if abs(axial_um / ROW_UM - 1) <= _SAME_SHARE:
            return cls(rows, columns, axial_um, 1.0)
        return cls(rows, columns, ROW_UM, ROW_UM / axial_um)

    def bring(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the B-scan on the grid; finer rows and columns are averaged, none is skipped."""
        brought = pixels
        if self.rows_a_row != 1.0:
            brought = _resampled(brought, int(self.rows / self.rows_a_row), self.rows_a_row)
        if self.columns != COLUMNS:
            by_column = _resampled(brought.T, COLUMNS, self.columns / COLUMNS)
            brought = np.ascontiguousarray(by_column.T)
        return brought

    def own_rows(self, rows: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return a border found on the grid in rows of the B-scan, one for each of its columns."""
        own = (rows + 0.5) * self.rows_a_row - 0.5
        if self.columns != COLUMNS:
            grid_columns = (np.arange(COLUMNS) + 0.5) * self.columns / COLUMNS - 0.5
            wanted = np.arange(self.columns)
            own = np.interp(wanted, grid_columns, own, period=self.columns)
        return np.asarray(own, np.float32)


def _resampled(values: NDArray[np.float32], count: int, step: float) -> NDArray[np.float32]:
    """Return the mean of the values over `count` bins of `step` rows each, shape (count, …)."""
    sums = np.concatenate((np.zeros_like(values[:1], np.float64), np.cumsum(values, 0, np.float64)))
    edges = np.minimum(np.arange(count + 1) * step, len(values))
    below = np.minimum(edges.astype(np.intp), len(values) - 1)
    share = (edges - below)[:, np.newaxis]
    at_edges = sums[below] * (1 - share) + sums[below + 1] * share
    return np.asarray(np.diff(at_edges, axis=0) / step, np.float32)
