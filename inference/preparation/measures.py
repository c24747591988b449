"""How far the borders found in a B-scan look like those of a retina."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.preparation.border import along, rows_of
from inference.preparation.burned_in import line_share
from inference.preparation.layers import (
    NERVE_FIBRES_UM,
    OUTER_BAND_UM,
    STEP_ROWS,
    FoundLayers,
)
from inference.preparation.seam import seam_ratio

#: Regions in micrometre: below the membrane, above it, and below the outer band.
_FIBRES_UM: Final = (8.0, 30.0)
_VITREOUS_UM: Final = (-150.0, -20.0)
_CHOROID_UM: Final = (40.0, 200.0)
_INNER_RETINA_UM: Final = (-100.0, -50.0)
_BAND_UM: Final = (-15.0, 15.0)
_EDGE_UM: Final = 24.0
#: A border is seen where one side is brighter by this part of the fibres' brightness.
_SEEN_SHARE: Final = 0.08
_NEAR_BAND_UM: Final = 30.0
#: Around the membrane: where its brightness rises from the least to the most, in steps of a row.
_RISE_UM: Final = (-58.0, 31.0)
_RISE_LEVELS: Final = (0.2, 0.8)
_SHADE_UM: Final = (-46.0, 46.0)
#: A shadow is darker than this part of what is usual along the circle.
_SHADE_SHARE: Final = 0.6
_USUAL_PERCENTILE: Final = 60
_COURSE_COLUMNS: Final = 8.0
_SATURATED: Final = 0.995


@dataclass(frozen=True)
class Measures:
    """Figures of one segmentation; shares are of all columns, 0 to 1.

    Attributes
    ----------
    hit_share
        The lower border lies at a limit of where it was searched.
    jump_share
        The inner limiting membrane leaps by as much as a path may.
    membrane_share, border_share
        The two borders part bright from dark.
    band_share
        The brightest row of the outer retina lies on the outer band.
    vitreous_level, choroid_level, dip_level
        Brightness above the membrane, below the outer band and just above that band, in parts of
        the fibres' or (dip) the band's own.
    contrast
        Brightness of the fibres above the vitreous in standard deviations of the vitreous.
    saturated_share
        Pixels of the nerve fibres at full scale.
    cut_share
        The membrane or the outer band lies at or beyond the edge of the picture.
    dark_share
        Columns without light: a blink or an eye that moved away.
    edge_um
        Depth over which the brightness at the membrane rises, from 20 % to 80 %.
    line_share
        Columns with a thin line of one grey value along one of the borders: drawn, not scanned.
    shadow_share
        Columns under a vessel, where the lower border is hardly seen.
    restless_um
        Mean distance of the lower border from its own smooth course.
    seam_ratio
        Difference of the two ends of the scan, in parts of the difference of places as near.
    """

    hit_share: float
    jump_share: float
    membrane_share: float
    border_share: float
    band_share: float
    vitreous_level: float
    choroid_level: float
    dip_level: float
    contrast: float
    saturated_share: float
    cut_share: float
    dark_share: float
    edge_um: float
    line_share: float
    shadow_share: float
    restless_um: float
    seam_ratio: float


def measure(
    picture: NDArray[np.float32], pixels: NDArray[np.float32], found: FoundLayers, row_um: float
) -> Measures:
    """Return the figures of the borders found in a standardised picture.

    Parameters
    ----------
    picture, pixels
        float32, shape (rows, columns), on the same grid: standardised, and as displayed, 0 to 1.
    """

    def level(line: NDArray[np.float64], limits_um: tuple[float, float]) -> NDArray[np.float32]:
        return _between(picture, line, limits_um, row_um)

    fibres = level(found.ilm, _FIBRES_UM).mean(axis=0)
    vitreous = level(found.ilm, _VITREOUS_UM)
    band = level(found.outer_band, _BAND_UM).mean(axis=0)
    typical = max(float(np.median(fibres)), 1e-6)
    thickness_um = (found.rnfl - found.ilm) * row_um
    hits = thickness_um <= NERVE_FIBRES_UM[0] + row_um
    hits |= thickness_um >= NERVE_FIBRES_UM[1] - row_um
    jumps = np.abs(np.diff(found.ilm_path, append=found.ilm_path[:1])) >= STEP_ROWS
    last = picture.shape[0] - 1
    cut = (found.ilm < 2) | (found.outer_band > last - 2)
    raw_fibres = _between(pixels, found.ilm, (_FIBRES_UM[0], 60.0), row_um)
    return Measures(
        hit_share=float(hits.mean()),
        jump_share=float(jumps.mean()),
        membrane_share=_seen_share(picture, found.ilm, -typical, row_um),
        border_share=_seen_share(picture, found.rnfl, typical, row_um),
        band_share=_band_share(picture, found, row_um),
        vitreous_level=float(vitreous.mean()) / typical,
        choroid_level=float(level(found.outer_band, _CHOROID_UM).mean()) / typical,
        dip_level=float(np.median(level(found.outer_band, _INNER_RETINA_UM).mean(axis=0)))
        / max(float(np.median(band)), 1e-6),
        contrast=(typical - float(vitreous.mean())) / max(float(vitreous.std()), 1e-3),
        saturated_share=float((raw_fibres >= _SATURATED).mean()),
        cut_share=float(cut.mean()),
        dark_share=float((fibres < 0.3 * typical).mean()),
        edge_um=_edge_um(picture, found.ilm, row_um),
        line_share=max(line_share(pixels, found.ilm, False), line_share(pixels, found.rnfl, True)),
        shadow_share=_shadow_share(level(found.outer_band, _SHADE_UM).mean(axis=0)),
        restless_um=_restless_rows(found.rnfl) * row_um,
        seam_ratio=seam_ratio(picture),
    )


def _between(
    picture: NDArray[np.float32],
    line: NDArray[np.float64],
    limits_um: tuple[float, float],
    row_um: float,
) -> NDArray[np.float32]:
    return along(picture, line, rows_of(limits_um[0], row_um), rows_of(limits_um[1], row_um) + 1)


def _seen_share(
    picture: NDArray[np.float32], line: NDArray[np.float64], level: float, row_um: float
) -> float:
    """Return the share of columns with a border; a positive level expects the upper side bright."""
    above = _between(picture, line, (-_EDGE_UM, -row_um), row_um).mean(axis=0)
    below = _between(picture, line, (row_um, _EDGE_UM), row_um).mean(axis=0)
    difference = ndimage.gaussian_filter1d(above - below, 2.0, mode="wrap")
    return float((difference * np.sign(level) > _SEEN_SHARE * abs(level)).mean())


def _band_share(picture: NDArray[np.float32], found: FoundLayers, row_um: float) -> float:
    searched = _between(picture, found.ilm, OUTER_BAND_UM, row_um)
    blurred = ndimage.gaussian_filter(searched, (3.0, 3.0), mode=("nearest", "wrap"))
    brightest = found.ilm + rows_of(OUTER_BAND_UM[0], row_um) + blurred.argmax(axis=0)
    return float((np.abs(brightest - found.outer_band) * row_um < _NEAR_BAND_UM).mean())


def _edge_um(picture: NDArray[np.float32], ilm: NDArray[np.float64], row_um: float) -> float:
    """Return over which depth the mean brightness rises at the membrane."""
    course = _between(picture, ilm, _RISE_UM, row_um).mean(axis=1, dtype=np.float64)
    above = rows_of(-_RISE_UM[0], row_um)
    dark, bright = course[: above // 2].mean(), course[above:].max()
    risen = np.maximum.accumulate((course - dark) / max(bright - dark, 1e-6))
    low, high = (int(np.argmax(risen >= level)) for level in _RISE_LEVELS)
    return (
        _crossing(risen, high, _RISE_LEVELS[1]) - _crossing(risen, low, _RISE_LEVELS[0])
    ) * row_um


def _crossing(risen: NDArray[np.float64], row: int, level: float) -> float:
    """Return where a rising course passes a level, given the first row at or above it."""
    if row == 0:
        return 0.0
    step = risen[row] - risen[row - 1]
    return float(row - (risen[row] - level) / step) if step > 0 else float(row)


def _shadow_share(brightness: NDArray[np.float32]) -> float:
    usual = float(np.percentile(brightness, _USUAL_PERCENTILE))
    return float((brightness < _SHADE_SHARE * usual).mean())


def _restless_rows(border: NDArray[np.float64]) -> float:
    course = ndimage.gaussian_filter1d(border, _COURSE_COLUMNS, mode="wrap")
    return float(np.abs(border - course).mean())
