"""The nerve fibre layer profile as a page draws it: SVG paths over the TSNIT angle."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.dashboard.field_view import signed_whole
from core.perimetry.rnfl import normal_band_um, normal_profile_um
from core.values.prediction import Prediction
from core.values.profile import PROFILE_ANGLES_DEGREE, SECTOR_LIMITS_DEGREE, sector_means

#: Size of the drawing area in SVG units.
WIDTH: Final = 1080.0
HEIGHT: Final = 300.0
_LEAST_TOP_UM: Final = 220.0
_GRID_UM: Final = 50
#: Of a smooth curve every fourth sample draws the same line.
_SMOOTH_STEP: Final = 4


@dataclass(frozen=True)
class Sector:
    """One disc sector: its place on the axis in SVG units, and means in µm as written.

    `pieces` are left ends and widths: the temporal sector lies on both ends of the axis, and its
    label stands at the left one. `from_normal_um` is the eye's mean less the normal one.
    """

    name: str
    pieces: tuple[tuple[float, float], ...]
    right: float
    label_at: float
    first_degree: int
    last_degree: int
    mean_um: str
    normal_um: str
    from_normal_um: str


@dataclass(frozen=True)
class ProfileView:
    """The profile as drawn; the norm is empty where the age is unknown.

    `earlier_curve` is that of the result it is compared with, empty without one.
    """

    curve: str
    earlier_curve: str
    normal_curve: str
    normal_band: str
    sectors: tuple[Sector, ...]
    grid: tuple[tuple[int, float], ...]
    mean_um: str
    normal_mean_um: str
    width: float
    height: float


def profile_view(
    prediction: Prediction, earlier_um: NDArray[np.float32] | None = None
) -> ProfileView | None:
    """Return the profile as drawn, None where none was measured in the scan.

    Parameters
    ----------
    earlier_um
        Profile of an earlier result to draw beside it.
    """
    thickness_um, age_years = prediction.thickness_um, prediction.age_years
    if thickness_um is None:
        return None
    normal_um = None if age_years is None else normal_profile_um(age_years)
    lower_um, upper_um = (None, None) if age_years is None else normal_band_um(age_years)
    shown = (thickness_um,) if earlier_um is None else (thickness_um, earlier_um)
    thickest_um = max(float(np.nanmax(profile, initial=0.0)) for profile in shown)
    top_um = max(_LEAST_TOP_UM, thickest_um * 1.08)
    known = lower_um is not None and upper_um is not None
    return ProfileView(
        curve=_path(thickness_um, top_um),
        earlier_curve="" if earlier_um is None else _path(earlier_um, top_um),
        normal_curve="" if normal_um is None else _path(normal_um, top_um, _SMOOTH_STEP),
        normal_band=_band(lower_um, upper_um, top_um) if known else "",
        sectors=_sectors(thickness_um, normal_um),
        grid=tuple(
            (level, round(_y(level, top_um), 1)) for level in range(0, int(top_um), _GRID_UM)
        ),
        mean_um=_micrometre(float(np.mean(thickness_um))),
        normal_mean_um="" if normal_um is None else _micrometre(float(np.mean(normal_um))),
        width=WIDTH,
        height=HEIGHT,
    )


def _path(values_um: NDArray[np.floating], top_um: float, step: int = 1) -> str:
    return "M" + "L".join(
        f"{_x(angle):.1f} {_y(value, top_um):.1f}"
        for angle, value in zip(PROFILE_ANGLES_DEGREE[::step], values_um[::step], strict=True)
        if np.isfinite(value)
    )


def _band(
    lower_um: NDArray[np.float64] | None, upper_um: NDArray[np.float64] | None, top_um: float
) -> str:
    if lower_um is None or upper_um is None:
        return ""
    there = _path(upper_um, top_um, _SMOOTH_STEP)
    back = "L".join(
        f"{_x(angle):.1f} {_y(value, top_um):.1f}"
        for angle, value in zip(
            PROFILE_ANGLES_DEGREE[::-_SMOOTH_STEP], lower_um[::-_SMOOTH_STEP], strict=True
        )
    )
    return f"{there}L{back}Z"


def _sectors(
    thickness_um: NDArray[np.float32], normal_um: NDArray[np.float64] | None
) -> tuple[Sector, ...]:
    means = sector_means(thickness_um)
    normals = {} if normal_um is None else sector_means(normal_um.astype(np.float32))
    return tuple(
        Sector(
            name=name,
            pieces=_pieces(first, last),
            right=_x(last),
            label_at=_x((max(first, 0) + last) / 2),
            first_degree=round(first % 360),
            last_degree=round(last),
            mean_um=_micrometre(means[name]),
            normal_um=_micrometre(normals[name]) if name in normals else "–",
            from_normal_um=signed_whole(means[name] - normals[name]) if name in normals else "–",
        )
        for name, (first, last) in SECTOR_LIMITS_DEGREE.items()
    )


def _pieces(first_degree: float, last_degree: float) -> tuple[tuple[float, float], ...]:
    if first_degree >= 0:
        return ((_x(first_degree), _x(last_degree - first_degree)),)
    return (0.0, _x(last_degree)), (_x(first_degree % 360), _x(-first_degree))


def _x(angle_degree: float) -> float:
    return float(angle_degree) / 360 * WIDTH


def _y(thickness_um: float, top_um: float) -> float:
    return HEIGHT * (1 - float(thickness_um) / top_um)


def _micrometre(value_um: float) -> str:
    return f"{value_um:.0f}" if np.isfinite(value_um) else "–"
