"""The 24-2 pattern: where its 52 points lie. Positions are degrees in right-eye format.

Right-eye format: +x is the temporal field (the side of the blind spot), +y is the superior field.
Left eyes are kept mirrored into it; only this file undoes that, for drawing and for readers.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.points import float_column, integer_column
from core.values.laterality import Laterality

#: Location numbers 1 to 54 without the two at the blind spot, shape (52,).
LOCATIONS: Final[NDArray[np.intp]] = integer_column("location")

#: Position of each point in degree, shape (52,), right-eye format.
X_DEGREE: Final[NDArray[np.float64]] = float_column("x_degree")
Y_DEGREE: Final[NDArray[np.float64]] = float_column("y_degree")

#: Index of each point's mirror image in the horizontal midline, shape (52,).
MIRROR_INDEX: Final[NDArray[np.intp]] = integer_column("mirror_index")

#: Location numbers of the two places at the blind spot, which have no sensitivity.
BLIND_SPOT_LOCATIONS: Final = (26, 35)

#: Position of those two places in degree, right-eye format.
BLIND_SPOT_X_DEGREE: Final = (15.0, 15.0)
BLIND_SPOT_Y_DEGREE: Final = (3.0, -3.0)

#: Distance between neighbouring points in degree.
SPACING_DEGREE: Final = 6.0


def x_as_patient_sees(laterality: Laterality) -> NDArray[np.float64]:
    """Return x of each point in degree as the patient sees it, +x to the right, shape (52,).

    The one place where a left eye is mirrored back; its order of points stays the right-eye order.
    """
    return X_DEGREE * mirror_sign(laterality)


def mirror_sign(laterality: Laterality) -> float:
    """Return the factor from right-eye x to x as the patient sees it: 1 right eye, -1 left eye."""
    return 1.0 if laterality is Laterality.RIGHT else -1.0
