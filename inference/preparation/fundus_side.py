"""On which side of the disc the macula lies, from the picture alone."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, grey_closing, uniform_filter

from inference.preparation.fundus_disc import FoundDisc
from inference.preparation.fundus_lines import vessels_of

#: The fovea lies 15.5° from the disc's centre: five to seven disc radii, about level with it.
_FOVEA_RADII: Final = (4.2, 7.6)
_LEVEL_RADII: Final = 2.2
#: Sides of the squares whose light is compared, in disc radii: the fovea, and the macula around.
_FOVEA_SIDE, _AROUND_SIDE = 1.1, 4.0
#: A place counts where this much of the square around it is seen.
_SEEN_SHARE: Final = 0.75
_VESSEL_PX: Final = 9
#: Arcades run between these distances in disc radii and angles from level in degree.
_ARCADE_RADII: Final = (3.0, 9.0)
_ARCADE_DEGREE: Final = (15.0, 75.0)
#: Real fovea 0.16, simulated ones 0.1 to 0.4; nothing of the kind on the nasal side.
_SURE_DARKER: Final = 0.07
_LEANING_DARKER: Final = 0.04
_SURE_BENT: Final = 0.15


@dataclass(frozen=True)
class MaculaSide:
    """What tells the two sides of a disc apart; positive where the macula seems to be right.

    Attributes
    ----------
    darker
        How much darker (logarithm) the darkest place at the fovea's distance is on that side.
    bent
        Vessels of the arcades on that side less those on the other, over all of them, -1 to 1.
    """

    darker: float
    bent: float

    @property
    def is_right(self) -> bool | None:
        """Whether the macula is right of the disc; None where the picture cannot tell."""
        right = self.darker > 0
        bent_so = self.bent if right else -self.bent
        sure = abs(self.darker) >= _SURE_DARKER and bent_so > -_SURE_BENT
        agreed = abs(self.darker) >= _LEANING_DARKER and bent_so >= _SURE_BENT
        return right if sure or agreed else None


def macula_side(
    log_light: NDArray[np.floating], seen: NDArray[np.bool_], disc: FoundDisc
) -> MaculaSide:
    """Return on which side of a disc on the overview the macula seems to lie."""
    rows, columns = np.indices(seen.shape).astype(np.float64)
    right = np.asarray((columns - disc.column) / disc.radius)
    down = np.asarray((rows - disc.row) / disc.radius)
    dark = _darkness(log_light, seen, disc.radius)
    low, high = _FOVEA_RADII
    level = np.abs(down) < _LEVEL_RADII
    sides = []
    for sign in (1, -1):
        place = level & (sign * right >= low) & (sign * right <= high) & np.isfinite(dark)
        sides.append(max(float(dark[place].max()), 0.0) if place.any() else 0.0)
    return MaculaSide(sides[0] - sides[1], _bent(vessels_of(log_light), seen, right, down))


def _darkness(
    log_light: NDArray[np.floating], seen: NDArray[np.bool_], radius: float
) -> NDArray[np.float64]:
    """Return how much darker each place is than its surroundings; NaN where too little is seen."""
    bare = gaussian_filter(grey_closing(log_light, size=(_VESSEL_PX, _VESSEL_PX)), 1.0) * seen
    near, far = (max(3, round(side * radius)) for side in (_FOVEA_SIDE, _AROUND_SIDE))
    near_seen = uniform_filter(seen.astype(np.float64), near, mode="constant")
    far_seen = uniform_filter(seen.astype(np.float64), far, mode="constant")
    near_light = uniform_filter(bare, near, mode="constant") / np.maximum(near_seen, 0.1)
    far_light = uniform_filter(bare, far, mode="constant") / np.maximum(far_seen, 0.1)
    enough = (near_seen > 0.99) & (far_seen > _SEEN_SHARE)
    return np.where(enough, far_light - near_light, np.nan)


def _bent(
    vessels: NDArray[np.float64],
    seen: NDArray[np.bool_],
    right: NDArray[np.float64],
    down: NDArray[np.float64],
) -> float:
    away = np.hypot(right, down)
    from_level = np.rad2deg(np.arctan2(np.abs(down), np.abs(right)))
    (near, far), (flat, steep) = _ARCADE_RADII, _ARCADE_DEGREE
    zone = seen & (away > near) & (away < far) & (from_level > flat) & (from_level < steep)
    shares = [
        float(vessels[side].mean()) if np.count_nonzero(side) > 200 else float("nan")
        for side in (zone & (right > 0), zone & (right < 0))
    ]
    total = shares[0] + shares[1]
    if not np.isfinite(total) or total <= 0:
        return 0.0
    return (shares[0] - shares[1]) / total
