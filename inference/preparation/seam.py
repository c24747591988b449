"""Whether the last A-scan of a B-scan goes on at the first: on a circle it does, on a line not."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_MEAN_ROWS: Final = 4
_MEAN_COLUMNS: Final = 6
#: Columns between two such means: as many as at the seam, with two left out.
_DISTANCE: Final = 8
_USUAL_SHARE: Final = 0.98


def seam_ratio(picture: NDArray[np.float32]) -> float:
    """Return how much the ends of a scan differ, in parts of the difference elsewhere.

    Below 1 they differ less than the most different 2 % of the places as far apart within the scan.

    Parameters
    ----------
    picture
        float32, shape (rows, columns), standardised grey values.
    """
    whole = picture[: len(picture) // _MEAN_ROWS * _MEAN_ROWS]
    coarse = whole.reshape(-1, _MEAN_ROWS, picture.shape[1]).mean(axis=1)
    smooth = ndimage.uniform_filter1d(coarse, _MEAN_COLUMNS, axis=1)
    inner = smooth[:, _MEAN_COLUMNS // 2 : -(_MEAN_COLUMNS // 2)]
    within = np.abs(inner[:, _DISTANCE:] - inner[:, :-_DISTANCE]).mean(axis=0)
    ends = float(np.abs(inner[:, 0] - inner[:, -1]).mean())
    return ends / max(float(np.quantile(within, _USUAL_SHARE)), 1e-6)
