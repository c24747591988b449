"""Finds the optic disc: a round region of its own brightness where the vessels come together."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, grey_closing, map_coordinates, uniform_filter

from inference.preparation.fundus_lines import convergence_of

#: Radii looked for on the overview, in pixels: fields of view from 20° to 110°.
RADII_PX: Final = (7.0, 48.0)
_RADIUS_STEPS: Final = 9
#: Several trunks beside each other on the disc are narrower than this.
_TRUNK_PX: Final = 13
_THIN_PX: Final = 3
#: Places fitted, and how many of them are tried at a larger size too.
_CANDIDATES: Final = 6
_GROWN_CANDIDATES: Final = 3
_GROWN: Final = 1.8
#: Closer in size than this, two candidates at one place are the same.
_SAME_SIZE: Final = 1.3
#: A circle around the likeliest one that is this much as likely is the disc, and the other its cup
#: or a piece of it between vessels.
_AROUND_SHARE: Final = 0.5
_AROUND_LARGER: Final = 1.25
_EDGE_ANGLES: Final = 32
#: A place of the edge counts up to this contrast for a pixel, so that no vessel outweighs the rest.
_EDGE_CAP: Final = 0.05
_EDGE_FROM: Final = 0.012
#: The outermost edge this strong is the disc's; a stronger one within is the cup's.
_OUTER_SHARE: Final = 0.6


@dataclass(frozen=True)
class FoundDisc:
    """A place that may be the disc, on the overview.

    Attributes
    ----------
    row, column, radius
        Overview pixels; row and column count from the middle of the first pixel.
    is_bright
        Whether it is brighter than the retina.
    contrast
        Logarithm of its light over that of the retina around it, without the sign.
    edge_share
        Share of its edge where the light changes as it should, 0 to 1.
    convergence
        How many directions of vessels meet there: 1 is the picture's usual place.
    """

    row: float
    column: float
    radius: float
    is_bright: bool
    contrast: float
    edge_share: float
    convergence: float

    @property
    def score(self) -> float:
        """How likely it is the disc, for comparison with others of the same photograph."""
        return self.convergence**2 * self.edge_share * min(self.contrast, 0.3) * self.radius


@dataclass(frozen=True)
class _Fields:
    """What the search looks at, each of shape (rows, columns); a dark disc is bright in `bare`."""

    is_bright: bool
    bare: NDArray[np.float64]
    down: NDArray[np.float64]
    right: NDArray[np.float64]
    votes: NDArray[np.float64]
    seen: NDArray[np.bool_]


def find_disc(
    log_light: NDArray[np.floating],
    seen: NDArray[np.bool_],
    radii_px: tuple[float, float],
    *,
    may_be_dark: bool,
) -> FoundDisc | None:
    """Return the likeliest disc of an overview, None where nothing is like one.

    Parameters
    ----------
    log_light
        Logarithm of the evened light; 0 outside the field of view.
    radii_px
        Smallest and largest radius to look for.
    may_be_dark
        Whether the disc may be darker than the retina, as in infrared light.
    """
    votes = convergence_of(log_light, seen)
    usual = float(np.mean(votes[seen])) if seen.any() else 0.0
    if usual <= 0:
        return None
    candidates = []
    for is_bright in (True, False) if may_be_dark else (True,):
        fields = _fields(log_light, seen, votes / usual, is_bright=is_bright)
        candidates += [_refined(fields, *place) for place in _candidates(fields, radii_px)]
    return _outermost(candidates)


def _fields(
    log_light: NDArray[np.floating],
    seen: NDArray[np.bool_],
    votes: NDArray[np.float64],
    *,
    is_bright: bool,
) -> _Fields:
    # Vessels are filled; but not so far that the rim of a dark disc is taken for one.
    size = _TRUNK_PX if is_bright else _THIN_PX
    bare = gaussian_filter(grey_closing(log_light, size=(size, size)), 1.0)
    if not is_bright:
        bare = -bare
    down, right = np.gradient(bare)
    return _Fields(is_bright, bare, down, right, votes, seen)


def _outermost(candidates: list[FoundDisc]) -> FoundDisc | None:
    """Return the likeliest candidate, or a larger one around it that is nearly as likely."""
    likeliest = max(candidates, key=lambda found: found.score, default=None)
    if likeliest is None:
        return None
    around = [
        found
        for found in candidates
        if found.score >= _AROUND_SHARE * likeliest.score
        and np.hypot(found.row - likeliest.row, found.column - likeliest.column)
        <= found.radius - 0.5 * likeliest.radius
        and found.radius >= _AROUND_LARGER * likeliest.radius
    ]
    return max(around, key=lambda found: found.radius, default=likeliest)


def _candidates(fields: _Fields, radii_px: tuple[float, float]) -> list[tuple[float, float, float]]:
    """Return row, column and radius of the likeliest places, before they are fitted."""
    weight = gaussian_filter(fields.seen.astype(np.float64), 3.0)
    best: list[tuple[float, float, float, float]] = []
    for radius in np.geomspace(*radii_px, _RADIUS_STEPS):
        blob = _smoothed(fields, 1.5 * radius) - _smoothed(fields, 4 * radius)
        like = np.maximum(blob, 0) * fields.votes * weight
        for _ in range(2):
            row, column = np.unravel_index(int(np.argmax(like)), like.shape)
            best.append((float(like[row, column]), float(row), float(column), float(radius)))
            top, left = max(int(row - radius), 0), max(int(column - radius), 0)
            like[top : int(row + radius) + 1, left : int(column + radius) + 1] = 0
    best.sort(reverse=True)
    apart = _apart([candidate[1:] for candidate in best])
    # A piece of a disc between vessels or beside a cup leads to the whole of it.
    grown = [
        (row, column, min(_GROWN * radius, radii_px[1]))
        for row, column, radius in apart[:_GROWN_CANDIDATES]
    ]
    return apart + grown


def _apart(best: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Return the first few places that are not the same at about the same radius."""
    kept: list[tuple[float, float, float]] = []
    for row, column, radius in best:
        same = [
            other
            for other in kept
            if np.hypot(row - other[0], column - other[1]) < 0.5 * other[2]
            and max(radius, other[2]) < _SAME_SIZE * min(radius, other[2])
        ]
        if not same:
            kept.append((row, column, radius))
    return kept[:_CANDIDATES]


def _smoothed(fields: _Fields, side: float) -> NDArray[np.float64]:
    """Return the mean light of a square around each pixel, of the field of view only."""
    size = max(3, round(side))
    seen = uniform_filter(fields.seen.astype(np.float64), size)
    light = uniform_filter(fields.bare * fields.seen, size)
    return np.asarray(light / np.maximum(seen, 0.05))


def _refined(fields: _Fields, row: float, column: float, radius: float) -> FoundDisc:
    """Return the candidate moved and sized so that its edge lies on the strongest round edge."""
    for reach in (0.5, 0.2):
        row, column, radius = _best_circle(fields, row, column, radius, reach)
    sides = _edge(fields, np.array([row]), np.array([column]), np.array([radius]))[0, 0]
    last = np.array(fields.votes.shape) - 1
    at_row, at_column = np.clip(np.rint([row, column]), 0, last).astype(np.intp)
    return FoundDisc(
        row=row,
        column=column,
        radius=radius,
        is_bright=fields.is_bright,
        contrast=_contrast(fields, row, column, radius),
        edge_share=float(np.mean(sides > _EDGE_FROM)),
        convergence=float(fields.votes[at_row, at_column]),
    )


def _best_circle(
    fields: _Fields, row: float, column: float, radius: float, reach: float
) -> tuple[float, float, float]:
    shifts = np.linspace(-reach, reach, 7) * radius
    rows, columns = (axis.ravel() for axis in np.meshgrid(row + shifts, column + shifts))
    low, high = (0.6, 1.9) if reach > 0.3 else (0.85, 1.15)
    radii = np.linspace(low * radius, high * radius, 20)
    strength = _edge(fields, rows, columns, radii).mean(axis=2)
    by_radius = strength.max(axis=0)
    strong = np.flatnonzero(by_radius >= _OUTER_SHARE * by_radius.max())
    peaks = [
        index
        for index in strong
        if by_radius[index] == by_radius[max(index - 2, 0) : index + 3].max()
    ]
    chosen = max(peaks)
    centre = int(np.argmax(strength[:, chosen]))
    return float(rows[centre]), float(columns[centre]), float(radii[chosen])


def _edge(
    fields: _Fields,
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    radii: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the change of light outward across circles, shape (centres, radii, 32)."""
    angles = np.arange(_EDGE_ANGLES) * 2 * np.pi / _EDGE_ANGLES
    at_row = rows[:, np.newaxis, np.newaxis] + np.multiply.outer(radii, np.sin(angles))
    at_column = columns[:, np.newaxis, np.newaxis] + np.multiply.outer(radii, np.cos(angles))
    places = np.stack([at_row, at_column])
    down = map_coordinates(fields.down, places, order=1, mode="nearest")
    right = map_coordinates(fields.right, places, order=1, mode="nearest")
    outward = down * np.sin(angles) + right * np.cos(angles)
    return np.clip(-outward, 0, _EDGE_CAP)


def _contrast(fields: _Fields, row: float, column: float, radius: float) -> float:
    """Return how much brighter it is within the edge than outside, at least 0."""
    rows, columns = np.indices(fields.bare.shape)
    away = np.hypot(rows - row, columns - column) / radius
    within = fields.bare[(away >= 0.6) & (away < 0.95) & fields.seen]
    outside = fields.bare[(away >= 1.1) & (away < 1.5) & fields.seen]
    if not (within.size and outside.size):
        return 0.0
    return max(float(np.median(within) - np.median(outside)), 0.0)
