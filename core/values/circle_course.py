"""Where a circle B-scan starts and which way its columns run around the disc."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

#: Columns farther from even steps than this are not told as a course.
_LARGEST_STRAY_DEGREE: Final = 3.0


@dataclass(frozen=True)
class CircleCourse:
    """The TSNIT angle of each column of a B-scan, in even steps.

    Attributes
    ----------
    first_degree
        TSNIT angle of the first column.
    step_degree
        From one column to the next: positive from temporal over superior, negative the other way.
    """

    first_degree: float
    step_degree: float

    @classmethod
    def of(cls, angles_degree: NDArray[np.float64]) -> Self | None:
        """Return the course of columns with these angles, None where their steps are not even."""
        turned = np.degrees(np.unwrap(np.radians(angles_degree)))
        count = np.arange(len(turned))
        step, first = np.polyfit(count, turned, 1)
        if np.abs(turned - first - step * count).max() > _LARGEST_STRAY_DEGREE:
            return None
        return cls(round(float(first), 4) % 360, float(step))

    def column_of(self, angle_degree: float) -> float:
        """Return the column of an angle, 0 at the centre of the first and -0.5 at its edge."""
        turn = 360 if self.step_degree > 0 else -360
        column = (angle_degree - self.first_degree) % turn / self.step_degree
        whole = 360 / abs(self.step_degree)
        return column - whole if column > whole - 0.5 else column
