import numpy as np
import pytest

from inference.preparation.burned_in import line_share
from inference.preparation.seam import seam_ratio

COLUMNS = 300
BORDER = 60 + 20 * np.sin(2 * np.pi * np.arange(COLUMNS) / COLUMNS)


def speckle() -> np.ndarray:
    return np.random.default_rng(0).uniform(0.1, 0.9, (120, COLUMNS)).astype(np.float32)


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("grey", [0.2, 0.5, 1.0])
def test_line_share_sees_a_thin_line_of_any_grey(grey: float, rows: int) -> None:
    pixels = speckle()
    for row in range(rows):
        pixels[np.rint(BORDER).astype(int) + row, np.arange(COLUMNS)] = grey

    assert line_share(pixels, BORDER, black_too=False) > 0.7


def test_line_share_sees_a_black_line_only_where_black_counts() -> None:
    pixels = speckle()
    pixels[np.rint(BORDER).astype(int), np.arange(COLUMNS)] = 0

    assert line_share(pixels, BORDER, black_too=True) > 0.9
    assert line_share(pixels, BORDER, black_too=False) < 0.3


def test_line_share_of_speckle_and_of_an_overexposed_layer_is_small() -> None:
    overexposed = speckle()
    below = np.arange(120)[:, np.newaxis] > BORDER
    overexposed[below] = 1.0

    assert line_share(speckle(), BORDER, black_too=True) < 0.3
    assert line_share(overexposed, BORDER, black_too=True) < 0.3


def test_seam_ratio_tells_a_closed_scan_from_an_open_one() -> None:
    rows = np.arange(120)[:, np.newaxis]
    closed = (rows > BORDER).astype(np.float32)
    opened = (rows > np.linspace(20, 100, COLUMNS)).astype(np.float32)

    assert seam_ratio(closed) < 1.1
    assert seam_ratio(opened) > 3
