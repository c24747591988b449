"""From places as the patient sees them to the 52 of the 24-2 in right-eye order."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.pattern import X_DEGREE, Y_DEGREE, mirror_sign
from core.values.laterality import Laterality

#: Neighbours are 6 degrees apart; devices round.
TOLERANCE_DEGREE: Final = 0.5
#: The two places that a 24-2 tests on the nasal side only: they tell which eye was tested.
NASAL_X_DEGREE: Final = -27.0
NASAL_Y_DEGREE: Final = (3.0, -3.0)


def sensitivities_at_24_2(
    x_degree: Sequence[float],
    y_degree: Sequence[float],
    values_db: Sequence[float | None],
    laterality: Laterality,
) -> NDArray[np.float32] | None:
    """Return the values at the 52 places of the 24-2, right-eye order; None where one has none.

    Parameters
    ----------
    x_degree, y_degree
        Places as the patient sees them, +x right, +y up; others than those of the 24-2 are left
        out.
    """
    found: list[float] = []
    for place in zip(X_DEGREE, Y_DEGREE, strict=True):
        at = index_at(x_degree, y_degree, place, laterality)
        value = None if at is None else values_db[at]
        if value is None:
            return None
        found.append(value)
    return np.array(found, np.float32)


def eye_of_24_2(x_degree: Sequence[float], y_degree: Sequence[float]) -> Laterality | None:
    """Return the eye whose 24-2 these places are; None where they are of both or of neither.

    Only the nasal places differ: a right eye has them at -27 degree, a left eye at +27.
    """
    eyes = [eye for eye in Laterality if _has_nasal_places(x_degree, y_degree, eye)]
    return eyes[0] if len(eyes) == 1 else None


def index_at(
    x_degree: Sequence[float],
    y_degree: Sequence[float],
    right_eye_place: tuple[float, float],
    laterality: Laterality,
) -> int | None:
    """Return which place is the one at these right-eye coordinates, None where none is."""
    x, y = right_eye_place[0] * mirror_sign(laterality), right_eye_place[1]
    near = [
        index
        for index, (other_x, other_y) in enumerate(zip(x_degree, y_degree, strict=True))
        if abs(other_x - x) <= TOLERANCE_DEGREE and abs(other_y - y) <= TOLERANCE_DEGREE
    ]
    return near[0] if len(near) == 1 else None


def _has_nasal_places(
    x_degree: Sequence[float], y_degree: Sequence[float], laterality: Laterality
) -> bool:
    return all(
        index_at(x_degree, y_degree, (NASAL_X_DEGREE, y), laterality) is not None
        for y in NASAL_Y_DEGREE
    )
