"""Where a scan lies on the picture of the fundus that is kept for people."""

from dataclasses import dataclass
from enum import StrEnum


class FundusSource(StrEnum):
    """What the picture is."""

    #: The picture that a device took for orientation, on which the scan was planned.
    LOCALIZER = "localizer"
    #: The nerve fibre layer thickness map itself.
    THICKNESS_MAP = "thickness_map"
    #: The photograph that was scored.
    PHOTOGRAPH = "photograph"


@dataclass(frozen=True)
class FundusPlace:
    """The measured circle on the kept picture, which stands as people know it.

    The head is up and the patient's left is on the right, so that a right eye has its disc on the
    right of the fovea and a left eye on the left.

    Attributes
    ----------
    width, height
        Of the picture, in its pixels.
    centre_row, centre_column
        Centre of the circle and, as near as that was placed, of the disc, in pixels; (0, 0) is the
        corner of the first pixel.
    radius
        Of the circle, or of the outer end of the ring read from a photograph, in pixels.
    pixels_per_degree
        Pixels in one degree of the visual angle.
    is_scale_known
        Whether the device gave that scale; otherwise it is taken from the circle or the disc.
    """

    source: FundusSource
    width: int
    height: int
    centre_row: float
    centre_column: float
    radius: float
    pixels_per_degree: float
    is_scale_known: bool
