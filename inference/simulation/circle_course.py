"""Where a circle scan starts on the localizer picture and which way it runs.

Devices differ, and mirror left eyes, so a reader must never assume a course: the simulator can draw
any of them and gives the localizer coordinates that belong to it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality


@dataclass(frozen=True)
class CircleCourse:
    """The way round the disc, as seen on the localizer picture.

    Attributes
    ----------
    start_degree
        Direction of the first A-scan from the centre, counted anticlockwise from image right.
    clockwise
        Whether the scan runs clockwise on the picture.
    """

    start_degree: float
    clockwise: bool

    def picture_angles_degree(self, columns: int) -> NDArray[np.float64]:
        """Return the direction of each A-scan, anticlockwise from image right, 0 to 360."""
        step_degree = (-360 if self.clockwise else 360) / columns
        return (self.start_degree + step_degree * np.arange(columns, dtype=np.float64)) % 360

    def tsnit_angles_degree(self, columns: int, laterality: Laterality) -> NDArray[np.float64]:
        """Return the TSNIT angle of each A-scan, 0 to 360, in the frame both eyes share.

        Image right is the patient's left: nasal in a right eye, temporal in a left eye.
        """
        picture_degree = self.picture_angles_degree(columns)
        return np.asarray(mirrored_for(laterality, picture_degree))


@dataclass(frozen=True)
class Circle:
    """A circle on the localizer picture.

    Attributes
    ----------
    centre_row, centre_column, radius
        Localizer pixels; (0, 0) is the corner of the first pixel.
    """

    centre_row: float
    centre_column: float
    radius: float

    def coordinates(self, course: CircleCourse, columns: int) -> NDArray[np.float64]:
        """Return the row and column of each A-scan in localizer pixels, shape (columns, 2)."""
        angles = np.deg2rad(course.picture_angles_degree(columns))
        return np.stack(
            [
                self.centre_row - self.radius * np.sin(angles),
                self.centre_column + self.radius * np.cos(angles),
            ],
            axis=1,
        )


def spectralis_course(laterality: Laterality) -> CircleCourse:
    """Return the course that starts temporal and runs superior: left eyes mirror right eyes."""
    if laterality is Laterality.RIGHT:
        return CircleCourse(start_degree=180.0, clockwise=True)
    return CircleCourse(start_degree=0.0, clockwise=False)


def mirrored_for(laterality: Laterality, angles_degree: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return picture angles as TSNIT angles or back: the same mirror serves both ways."""
    if laterality is Laterality.RIGHT:
        return (180.0 - angles_degree) % 360
    return angles_degree % 360
