import numpy as np
import pytest

from inference.preparation.working_grid import COLUMNS, ROW_UM, WorkingGrid


def test_working_grid_leaves_a_spectralis_scan_as_it_is() -> None:
    grid = WorkingGrid.of(496, 768, 3.872)
    pixels = np.random.default_rng(0).random((496, 768)).astype(np.float32)
    border = np.linspace(100, 200, 768)

    assert grid.row_um == 3.872
    assert grid.bring(pixels) is pixels
    np.testing.assert_allclose(grid.own_rows(border), border, rtol=1e-6)


@pytest.mark.parametrize(
    ("rows", "columns", "axial_um"),
    [(1024, 768, 1.953), (496, 512, 3.872), (885, 1536, 2.6), (330, 384, 5.9)],
)
def test_working_grid_finds_a_border_where_it_is_in_the_scan(
    rows: int, columns: int, axial_um: float
) -> None:
    wave = np.sin(2 * np.pi * np.arange(columns) / columns)
    border = rows / 2 + rows / 10 * wave
    pixels = (np.arange(rows)[:, np.newaxis] > border).astype(np.float32)
    grid = WorkingGrid.of(rows, columns, axial_um)

    brought = grid.bring(pixels)
    found = (1 - brought).sum(axis=0) - 0.5

    assert (brought.shape[1], grid.row_um) == (COLUMNS, ROW_UM)
    difference_um = (grid.own_rows(found) - border) * axial_um
    assert abs(float(difference_um.mean())) < 0.2 * axial_um
    assert float(np.abs(difference_um).mean()) < axial_um
