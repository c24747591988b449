"""The vessels of a simulated fundus: their paths from the disc outward, and how they are drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from inference.simulation.fundus_bundles import CIRCLE_RADIUS_DEGREE
from inference.simulation.localizers import UM_PER_DEGREE
from inference.simulation.vessels import Vessel, draw_vessels

#: Vessels are drawn as bands this many times finer than the picture.
_FINER: Final = 3
_FARTHEST_DEGREE: Final = 45.0
_STEP_DEGREE: Final = 0.4
#: Vessels of the arcades, by their angle from temporal, bend round the fovea.
_ARCADE_DEGREE: Final = (40.0, 120.0)
#: Followed this far out of the picture.
_OUTSIDE_PX: Final = 20
#: Wider than this a vessel has branches.
_BRANCHING_FROM_UM: Final = 80.0


@dataclass(frozen=True)
class FundusVessel:
    """One vessel, followed outward from the disc.

    Attributes
    ----------
    vessel
        Where it crosses the 12° circle, how wide it is there, and whether it is a vein.
    bend
        Degree it turns toward the fovea for each degree of distance.
    winding_phase, winding_pitch
        Of its waves, in radian and radian for each degree of distance.
    begins_degree, ends_degree
        Distances from the disc's centre between which it is seen.
    parting
        Of a branch: degree of angle it moves aside as it leaves; 0 for a trunk.
    """

    vessel: Vessel
    bend: float
    winding_phase: float
    winding_pitch: float
    begins_degree: float
    ends_degree: float
    parting: float = 0.0

    def path(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return its distances from the disc and its TSNIT angles there, in degree."""
        distance = np.arange(self.begins_degree, self.ends_degree, _STEP_DEGREE)
        beyond = distance - CIRCLE_RADIUS_DEGREE
        from_temporal = (self.vessel.angle_degree + 180) % 360 - 180
        limit = 0.55 * abs(from_temporal) + 1
        turned = -np.sign(from_temporal) * limit * np.tanh(self.bend * beyond / limit)
        waves = np.sin(self.winding_pitch * beyond + self.winding_phase)
        aside = self.parting * np.sqrt(np.maximum(distance - self.begins_degree, 0))
        angle = self.vessel.angle_degree + turned + 10.0 / (4.0 + distance) * waves + aside
        return distance, angle

    def width_degree(self, distance_degree: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return its width at each distance from the disc."""
        beyond = distance_degree - CIRCLE_RADIUS_DEGREE
        taper = np.clip(1 - 0.03 * beyond, 0.3, 1.15)
        return np.asarray(self.vessel.width_um / UM_PER_DEGREE * taper)


def draw_fundus_vessels(rng: np.random.Generator) -> tuple[FundusVessel, ...]:
    """Return the vessels of one eye, wide ones last so that they are drawn on top."""
    vessels: list[FundusVessel] = []
    for vessel in draw_vessels(rng):
        trunk = _trunk(rng, vessel)
        vessels.append(trunk)
        if vessel.width_um > _BRANCHING_FROM_UM:
            vessels.append(_branch(rng, trunk))
    return tuple(sorted(vessels, key=lambda drawn: drawn.vessel.width_um))


def paint_vessels(
    vessels: Sequence[FundusVessel],
    shape: tuple[int, int],
    pixel_of: Callable[
        [NDArray[np.float64], NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]
    ],
    px_per_degree: float,
) -> NDArray[np.float32]:
    """Return how much of the light vessels take from each pixel, float32, 0 to 1.

    Parameters
    ----------
    shape
        Rows and columns of the picture.
    pixel_of
        Gives row and column, (0, 0) the corner of the first pixel, of a distance from the disc and
        a TSNIT angle in degree.
    """
    rows, columns = shape
    canvas = Image.new("L", (_FINER * columns, _FINER * rows))
    pen = ImageDraw.Draw(canvas)
    for drawn in vessels:
        distance, angle = drawn.path()
        row, column = pixel_of(distance, angle)
        widths = np.maximum(drawn.width_degree(distance) * px_per_degree, 0.4) * _FINER
        near = (np.minimum(row, column) > -_OUTSIDE_PX) & (row < rows + _OUTSIDE_PX)
        near &= column < columns + _OUTSIDE_PX
        _paint(pen, drawn, np.column_stack([column, row])[near] * _FINER, widths[near])
    return np.asarray(canvas.reduce(_FINER), np.float32) / np.float32(255)


def _paint(
    pen: ImageDraw.ImageDraw,
    drawn: FundusVessel,
    points: NDArray[np.float64],
    widths: NDArray[np.float64],
) -> None:
    vessel = drawn.vessel
    depth = (0.62 if vessel.vein else 0.48) * (0.4 + 0.6 * min(1.0, vessel.width_um / 110))
    reflex = depth * (0.92 if vessel.vein else 0.72)
    # Widths change slowly; a few stretches of one width each are enough.
    for start in range(0, len(points) - 1, 8):
        stretch = [tuple(point) for point in points[start : start + 9].tolist()]
        width = float(np.mean(widths[start : start + 9]))
        pen.line(stretch, fill=round(255 * depth), width=max(1, round(width)))
        if width >= 6:
            pen.line(stretch, fill=round(255 * reflex), width=round(width / 3))


def _trunk(rng: np.random.Generator, vessel: Vessel) -> FundusVessel:
    from_temporal = abs((vessel.angle_degree + 180) % 360 - 180)
    low, high = _ARCADE_DEGREE
    in_arcade = low < from_temporal < high
    small = vessel.width_um < _BRANCHING_FROM_UM
    return FundusVessel(
        vessel=vessel,
        bend=float(rng.uniform(1.5, 3.2) if in_arcade else rng.uniform(-0.3, 0.8)),
        winding_phase=float(rng.uniform(0, 2 * np.pi)),
        winding_pitch=float(rng.uniform(0.4, 1.0)),
        begins_degree=float(rng.uniform(0.2, 1.6) if small else rng.uniform(0.0, 0.6)),
        ends_degree=float(rng.uniform(6, 14) if small else _FARTHEST_DEGREE),
    )


def _branch(rng: np.random.Generator, trunk: FundusVessel) -> FundusVessel:
    begins = float(rng.uniform(2.0, 14.0))
    thinner = Vessel(
        angle_degree=trunk.vessel.angle_degree,
        width_um=trunk.vessel.width_um * float(rng.uniform(0.4, 0.7)),
        bump_um=0.0,
        shadow=trunk.vessel.shadow,
        vein=trunk.vessel.vein,
    )
    side = 1 if rng.random() < 0.5 else -1
    return FundusVessel(
        vessel=thinner,
        bend=trunk.bend,
        winding_phase=trunk.winding_phase,
        winding_pitch=trunk.winding_pitch,
        begins_degree=begins,
        ends_degree=begins + float(rng.uniform(4, 16)),
        parting=side * float(rng.uniform(4, 10)),
    )
