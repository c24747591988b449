"""A shadow model beside the results of the same scans, as a plot after Bland and Altman."""

from dataclasses import dataclass
from typing import Final

from api.dashboard.trend_axes import Scale, Tick, value_scale, value_ticks
from api.dashboard.trend_shapes import Frame
from core.shadow_agreement import ShadowAgreement

FRAME: Final = Frame(width=560, height=290, left=44, right=548, top=14, bottom=246)
#: Span of either axis at least, dB.
_LEAST_SPAN_DB: Final = 8.0


@dataclass(frozen=True)
class Level:
    """A horizontal line: the bias, or a limit."""

    at: float
    kind: str


@dataclass(frozen=True)
class BlandAltmanView:
    """Difference of the mean deviations against their mean, dB.

    Attributes
    ----------
    dots
        One path of points without length, which round line ends make visible.
    """

    agreement: ShadowAgreement
    frame: Frame
    value_ticks: tuple[Tick, ...]
    mean_ticks: tuple[Tick, ...]
    dots: str
    levels: tuple[Level, ...]


def bland_altman_view(agreement: ShadowAgreement) -> BlandAltmanView:
    """Return the agreement as drawn."""
    means = [(result + shadow) / 2 for result, shadow in agreement.pairs_db]
    differences = [shadow - result for result, shadow in agreement.pairs_db]
    limits = agreement.mean_deviation
    bounds = [] if limits is None else [limits.bias, limits.lower, limits.upper]
    known = [bound for bound in bounds if bound is not None]
    across = value_scale(means, _LEAST_SPAN_DB, FRAME.left, FRAME.right)
    up = value_scale([*differences, *known, 0.0], _LEAST_SPAN_DB, FRAME.bottom, FRAME.top)
    places = zip(means, differences, strict=True)
    return BlandAltmanView(
        agreement,
        frame=FRAME,
        value_ticks=tuple(value_ticks(up)),
        mean_ticks=tuple(value_ticks(across)),
        dots="".join(
            f"M{across.at(mean):g} {up.at(difference):g}h0" for mean, difference in places
        ),
        levels=tuple(_levels(agreement, up)),
    )


def _levels(agreement: ShadowAgreement, up: Scale) -> list[Level]:
    levels = [Level(up.at(0.0), "zero")]
    limits = agreement.mean_deviation
    if limits is None:
        return levels
    levels.append(Level(up.at(limits.bias), "bias"))
    return levels + [
        Level(up.at(limit), "limit") for limit in (limits.lower, limits.upper) if limit is not None
    ]
