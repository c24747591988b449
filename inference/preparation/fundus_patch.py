"""The retina around the disc at one scale, whatever camera took it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from core.values.fundus import RING_LIMITS, FundusDisc

#: Disc radius on every patch in pixels: what photographs of 45° with 768 pixels have.
DISC_RADIUS_PX: Final = 32
#: Room around the ring for filters.
_MARGIN_PX: Final = 6
#: Side of a patch in pixels.
PATCH_PX: Final = 2 * (round(RING_LIMITS[1] * DISC_RADIUS_PX) + _MARGIN_PX)
#: Camera pixels to one of the patch from which they are averaged first.
_AVERAGED_FROM: Final = 1.2


@dataclass(frozen=True)
class FundusPatch:
    """A square around the disc, temporal on the right and superior on top, for both eyes.

    Attributes
    ----------
    light
        float32, shape (152, 152): green or grey light over the even light of the photograph.
    seen
        float32, same shape: 1 inside the field of view, 0 outside.
    """

    light: NDArray[np.float32]
    seen: NDArray[np.float32]


def cut_patch(
    light: NDArray[np.float32],
    seen: NDArray[np.bool_],
    disc: FundusDisc,
    *,
    temporal_is_right: bool,
    superior_is_up: bool,
) -> FundusPatch:
    """Return the square around a disc; places outside the photograph are not seen.

    Parameters
    ----------
    light, seen
        Same shape (rows, columns): evened light, and which pixels lie in the field of view.
    """
    step = disc.diameter_px / 2 / DISC_RADIUS_PX
    offsets = (np.arange(PATCH_PX) + 0.5 - PATCH_PX / 2) * step
    rows = disc.centre_row - 0.5 + offsets * (1 if superior_is_up else -1)
    columns = disc.centre_column - 0.5 + offsets * (1 if temporal_is_right else -1)
    places = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    if step > _AVERAGED_FROM:
        light = gaussian_filter(light, 0.4 * np.sqrt(step**2 - 1))
    return FundusPatch(
        light=map_coordinates(light, places, order=1, mode="nearest"),
        seen=map_coordinates(seen.astype(np.float32), places, order=1, mode="constant", cval=0.0),
    )
