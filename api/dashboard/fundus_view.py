"""The retina as a page draws it, as people look into an eye: in degrees, with the circle on it.

Where a picture of the fundus is kept, it lies in its place; the rest is a drawing after average
anatomy. One frame serves every eye: the fovea at (0, 0), a right eye's disc to the right of it.
"""

from dataclasses import dataclass
from typing import Final

from core.perimetry.bundle_paths import CIRCLE_RADIUS_DEGREE, DISC_X_DEGREE, DISC_Y_DEGREE
from core.perimetry.pattern import mirror_sign
from core.values.fundus_place import FundusPlace, FundusSource
from core.values.laterality import Laterality
from core.values.prediction import Prediction

#: Radius of a usual disc in degree, for drawing where no picture shows the eye's own.
_USUAL_DISC_DEGREE: Final = 2.9
#: Edges of the drawing: temporal, nasal, and above and below the fovea, in degree.
_TEMPORAL_DEGREE, _NASAL_DEGREE, _HEIGHT_DEGREE = 29.0, 28.0, 24.5


@dataclass(frozen=True)
class Picture:
    """The kept picture in SVG units (degree, y down)."""

    x: float
    y: float
    width: float
    height: float
    source: FundusSource


@dataclass(frozen=True)
class FundusView:
    """The retina as drawn, in SVG units: degrees from the fovea, y down.

    Attributes
    ----------
    box
        Left, top, width and height of the drawing.
    picture
        None where none is kept: then all of it is a drawing.
    radius
        Of the measured circle, or of the outer end of the ring read from a photograph.
    disc_radius
        Of a usual disc; None where a picture shows the eye's own.
    nasal_sign
        1 where the nose is on the right of the drawing, -1 where it is on the left.
    is_scale_known
        Whether the device gave the scale of the picture.
    """

    box: tuple[float, float, float, float]
    picture: Picture | None
    disc_x: float
    disc_y: float
    radius: float
    disc_radius: float | None
    nasal_sign: int
    is_scale_known: bool

    @property
    def is_ring(self) -> bool:
        """Whether what was read is the ring of a photograph, no circle of a scan."""
        return self.picture is not None and self.picture.source is FundusSource.PHOTOGRAPH

    @property
    def is_map(self) -> bool:
        """Whether the picture is the thickness map that was measured."""
        return self.picture is not None and self.picture.source is FundusSource.THICKNESS_MAP


def fundus_view(prediction: Prediction, has_picture: bool) -> FundusView | None:
    """Return the retina as drawn, None where the eye is not known.

    Parameters
    ----------
    has_picture
        Whether the picture of the fundus is really kept.
    """
    eye, place = prediction.laterality, prediction.fundus
    if eye is None:
        return None
    sign = int(mirror_sign(eye))
    kept = place if has_picture else None
    scale = None if kept is None else kept.pixels_per_degree
    return FundusView(
        box=_box(eye),
        picture=None if kept is None else _picture(kept, eye),
        disc_x=sign * DISC_X_DEGREE,
        disc_y=-DISC_Y_DEGREE,
        radius=round(kept.radius / scale, 3) if kept and scale else CIRCLE_RADIUS_DEGREE,
        disc_radius=_USUAL_DISC_DEGREE if kept is None else None,
        nasal_sign=sign,
        is_scale_known=kept is not None and kept.is_scale_known,
    )


def _box(eye: Laterality) -> tuple[float, float, float, float]:
    left = -_TEMPORAL_DEGREE if eye is Laterality.RIGHT else -_NASAL_DEGREE
    return left, -_HEIGHT_DEGREE, _TEMPORAL_DEGREE + _NASAL_DEGREE, 2 * _HEIGHT_DEGREE


def _picture(place: FundusPlace, eye: Laterality) -> Picture:
    """Return where the picture lies when the circle's centre lies on the disc of the drawing."""
    scale = place.pixels_per_degree
    return Picture(
        x=round(mirror_sign(eye) * DISC_X_DEGREE - place.centre_column / scale, 3),
        y=round(-DISC_Y_DEGREE - place.centre_row / scale, 3),
        width=round(place.width / scale, 3),
        height=round(place.height / scale, 3),
        source=place.source,
    )
