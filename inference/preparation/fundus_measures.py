"""Numbers that tell whether a photograph shows a disc well enough to be read."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.fundus import FUNDUS_CHANNELS, RING_RADII
from inference.preparation.fundus_disc import FoundDisc
from inference.preparation.fundus_light import Overview
from inference.preparation.fundus_patch import FundusPatch
from inference.preparation.fundus_ring import vessel_directions

_VESSEL: Final = FUNDUS_CHANNELS.index("vessel")
_SEEN: Final = FUNDUS_CHANNELS.index("seen")
#: Vessels are counted between these distances in disc radii.
_COUNTED_RADII: Final = (1.2, 2.0)
_OVEREXPOSED: Final = 0.985


@dataclass(frozen=True)
class FundusMeasures:
    """What is judged.

    Attributes
    ----------
    level
        Median light of the field of view, 0 to 1.
    saturated_share
        Share of the field of view in which the light is cut off at white.
    redness
        Median red over median green; None in grey photographs.
    contrast, edge_share, convergence
        Of the disc, as `FoundDisc` has them.
    vessel_depth
        How dark (logarithm) the clearest vessels around the disc are.
    noise
        Spread of neighbouring pixels (logarithm) around the disc.
    radial_share
        Share of the vessels' contrast that runs across lines leaving the disc, 0 to 1.
    vessel_count
        Vessels that cross the retina around the disc.
    vessel_share
        Share of the angles under them, 0 to 1.
    seen_share
        Share of the ring inside the field of view, 0 to 1.
    """

    level: float
    saturated_share: float
    redness: float | None
    contrast: float
    edge_share: float
    convergence: float
    vessel_depth: float
    noise: float
    radial_share: float
    vessel_count: int
    vessel_share: float
    seen_share: float


def measure_fundus(
    overview: Overview, disc: FoundDisc, patch: FundusPatch, ring: NDArray[np.float32]
) -> FundusMeasures:
    """Return what is judged of a photograph and the disc found in it."""
    light = overview.light[overview.seen]
    depth, noise, radial = vessel_directions(patch)
    crossing = _crossing(ring)
    return FundusMeasures(
        level=float(np.median(light)),
        saturated_share=float(np.mean(light > _OVEREXPOSED)),
        redness=_redness(overview),
        contrast=disc.contrast,
        edge_share=disc.edge_share,
        convergence=disc.convergence,
        vessel_depth=depth,
        noise=noise,
        radial_share=radial,
        vessel_count=int(np.count_nonzero(crossing & ~np.roll(crossing, 1))),
        vessel_share=float(np.mean(crossing)),
        seen_share=float(np.mean(ring[:, :, _SEEN])),
    )


def _crossing(ring: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return at which angles a vessel runs outward, shape (128,)."""
    low, high = _COUNTED_RADII
    counted = (low <= RING_RADII) & (high >= RING_RADII)
    return np.asarray(ring[:, counted, _VESSEL].mean(axis=1) > 0.35)


def _redness(overview: Overview) -> float | None:
    if overview.colour is None:
        return None
    red, green, _ = np.median(overview.colour[overview.seen], axis=0)
    return float(red / max(float(green), 1e-3))
