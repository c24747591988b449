"""The pigment epithelium of a volume as one smooth surface, and where it is missing."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.preparation.grey_values import standardise

#: Size of the bins a volume is searched in.
_BIN_UM: Final = 8.0
_BIN_MM: Final = 0.06
#: Vitreous is darker than this, tissue brighter, in standardised grey values.
_TISSUE_LEVEL: Final = 0.5
#: Depth below the surface of the retina where the epithelium may lie.
_DEPTH_UM: Final = (120.0, 650.0)
#: It is a bright band of this height below a dark one (bodies of the photoreceptors), its own
#: bins counted from its middle.
_BAND_UM: Final = (-16.0, 32.0)
_ABOVE_UM: Final = (-72.0, -24.0)
#: Steps of the fit, its least scale in bins, and how near it the band counts as found.
_FIT_STEPS: Final = 6
_ROUNDS: Final = 2
_LEAST_SCALE_BINS: Final = 0.5
_FOUND_UM: Final = 32.0


@dataclass(frozen=True)
class OuterSurface:
    """A surface as a smooth function over the volume and a shift of each B-scan.

    Attributes
    ----------
    coefficients
        Of the terms of `_terms`, in rows of the volume.
    shifts
        float64, shape (B-scans,): rows each B-scan lies deeper, the eye having moved.
    columns
        Number of A-scans of a B-scan.
    found
        bool, shape (B-scans, bins): whether the brightest band of the outer retina lies on it.
    columns_a_bin
        A-scans of one bin of `found`.
    """

    coefficients: NDArray[np.float64]
    shifts: NDArray[np.float64]
    columns: int
    found: NDArray[np.bool_]
    columns_a_bin: int

    def rows_at(
        self, b_scans: NDArray[np.intp], columns: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the row of the surface in A-scans, whose column may lie between two."""
        along = 2 * (columns + 0.5) / self.columns - 1
        across = 2 * (b_scans + 0.5) / len(self.shifts) - 1
        return np.asarray(_terms(along, across) @ self.coefficients + self.shifts[b_scans])


def find_outer_surface(
    pixels: NDArray[np.float32], axial_um: float, column_mm: float
) -> OuterSurface | None:
    """Return the surface in a volume, None where its pictures have no contrast.

    Parameters
    ----------
    pixels
        float32, shape (B-scans, rows, columns), 0 to 1, vitreous at the top.
    axial_um, column_mm
        Distance of the rows and of the columns.
    """
    rows_a_bin = max(1, round(_BIN_UM / axial_um))
    columns_a_bin = max(1, round(_BIN_MM / column_mm))
    bin_um = rows_a_bin * axial_um
    binned = _binned(pixels, rows_a_bin, columns_a_bin)
    flat = standardise(binned.reshape(len(binned), -1), bin_um)
    if flat is None:
        return None
    band = _band(flat.reshape(binned.shape), bin_um)
    coefficients, shifts, distance = _fit(band)
    return OuterSurface(
        coefficients=coefficients * rows_a_bin,
        shifts=(shifts + 0.5) * rows_a_bin - 0.5,
        columns=band.shape[1] * columns_a_bin,
        found=np.abs(distance) * bin_um < _FOUND_UM,
        columns_a_bin=columns_a_bin,
    )


def _binned(
    pixels: NDArray[np.float32], rows_a_bin: int, columns_a_bin: int
) -> NDArray[np.float32]:
    """Return means over bins, shape (rows, B-scans, columns); what fills no bin is left out."""
    b_scans, rows, columns = (pixels.shape[0], pixels.shape[1] // rows_a_bin, pixels.shape[2])
    whole_rows = rows * rows_a_bin
    sums = np.zeros((b_scans, rows, columns), np.float32)
    for first in range(rows_a_bin):
        sums += pixels[:, first:whole_rows:rows_a_bin]
    whole_columns = columns // columns_a_bin * columns_a_bin
    binned = np.zeros((b_scans, rows, columns // columns_a_bin), np.float32)
    for first in range(columns_a_bin):
        binned += sums[:, :, first:whole_columns:columns_a_bin]
    binned /= rows_a_bin * columns_a_bin
    return np.ascontiguousarray(binned.transpose(1, 0, 2))


def _band(volume: NDArray[np.float32], bin_um: float) -> NDArray[np.float64]:
    """Return the bin, in parts, where a bright band lies below a dark one; (B-scans, columns)."""
    smooth = ndimage.uniform_filter1d(ndimage.uniform_filter1d(volume, 3, axis=0), 3, axis=2)
    surface = (smooth > _TISSUE_LEVEL).argmax(axis=0)
    response = _mean_between(volume, _BAND_UM, bin_um) - _mean_between(volume, _ABOVE_UM, bin_um)
    depth_um = (np.arange(len(volume))[:, np.newaxis, np.newaxis] - surface) * bin_um
    response[(depth_um < _DEPTH_UM[0]) | (depth_um > _DEPTH_UM[1])] = -np.inf
    best = np.clip(response.argmax(axis=0), 1, len(volume) - 2)
    at = np.indices(best.shape)
    before, here, after = (response[best + step, at[0], at[1]] for step in (-1, 0, 1))
    with np.errstate(invalid="ignore"):
        bent = before - 2 * here + after
        offset = np.where(bent < 0, 0.5 * (before - after) / bent, 0.0)
    return np.asarray(best + np.clip(np.nan_to_num(offset), -0.5, 0.5), np.float64)


def _mean_between(
    volume: NDArray[np.float32], limits_um: tuple[float, float], bin_um: float
) -> NDArray[np.float32]:
    """Return the mean of the bins between two depths below each bin; edges are repeated."""
    first, last = (round(limit / bin_um) for limit in limits_um)
    size = max(last - first, 1)
    mean = ndimage.uniform_filter1d(volume, size, axis=0, mode="nearest")
    # The filter's window of that size begins size // 2 bins before its own.
    return np.roll(mean, -(first + size // 2), axis=0)


def _fit(
    band: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return coefficients, shift of each B-scan and how far each place lies from the surface."""
    b_scans, columns = band.shape
    across, along = np.meshgrid(_centred(b_scans), _centred(columns), indexing="ij")
    terms = _terms(along, across)
    # First a smooth surface over the whole field: B-scans through the disc alone mislead.
    whole = np.concatenate((terms, np.stack((across**0, across, across**2), axis=-1)), axis=-1)
    coefficients, weights = _robust(whole, band, np.ones_like(band))
    coefficients = coefficients[: terms.shape[-1]]
    for _ in range(_ROUNDS):
        shifts = _densest(band - terms @ coefficients)
        coefficients, weights = _robust(terms, band - shifts[:, np.newaxis], weights)
    left = band - terms @ coefficients
    shifts = _settled(left, shifts)
    return coefficients, shifts, left - shifts[:, np.newaxis]


def _robust(
    terms: NDArray[np.float64], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coefficients that most values agree with, and what each value counted."""
    flat = terms.reshape(-1, terms.shape[-1])
    for _ in range(_FIT_STEPS):
        normal = (flat.T * weights.ravel()) @ flat
        coefficients = np.linalg.lstsq(normal, flat.T @ (weights * values).ravel())[0]
        weights = _weights(values - terms @ coefficients)
    return np.asarray(coefficients, np.float64), weights


def _weights(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    scale = max(2.0 * float(np.median(np.abs(distance))), _LEAST_SCALE_BINS)
    return np.asarray(1 / (1 + (distance / scale) ** 2) ** 2)


def _densest(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each row the middle of the shortest range that holds a third of its values."""
    ordered = np.sort(values, axis=1)
    reach = max(1, values.shape[1] // 3)
    begins = (ordered[:, reach:] - ordered[:, :-reach]).argmin(axis=1)
    every = np.arange(len(values))
    return np.asarray((ordered[every, begins] + ordered[every, begins + reach]) / 2)


def _settled(values: NDArray[np.float64], shifts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shifts as means of the values near them: finer than a bin."""
    for _ in range(_ROUNDS):
        weights = _weights(values - shifts[:, np.newaxis])
        shifts = (weights * values).sum(axis=1) / weights.sum(axis=1)
    return shifts


def _terms(along: NDArray[np.float64], across: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return tilt, bend and twist; what changes across B-scans alone is in their shifts."""
    return np.stack(
        (along, along**2, along**3, along * across, along**2 * across, along * across**2), axis=-1
    )


def _centred(count: int) -> NDArray[np.float64]:
    return 2 * (np.arange(count) + 0.5) / count - 1
