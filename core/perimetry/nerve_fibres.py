"""Which part of the optic disc each point of the 24-2 field belongs to.

Source: bundle angles from Jansonius' formulas as coded in the visualFields package, moved along the
12° circle for the displacement of the ganglion cells; sectors after Garway-Heath et al. 2000, the
version with 14 points in each arcuate sector. An entry angle has an anatomical SD of about 9°.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.points import float_column, integer_column, text_column

#: TSNIT angle in degree, shape (52,), at which each point's fibres cross the 12° circle: the sample
#: of the thickness profile that belongs to the point.
ENTRY_ANGLES_DEGREE: Final[NDArray[np.float64]] = float_column("entry_angle_degree")

#: Disc sector of each point: T, ST, SN, N, IN or IT (superior and inferior are the disc's, so the
#: inferotemporal sector IT serves the superior arcuate field).
DISC_SECTORS: Final[tuple[str, ...]] = text_column("disc_sector")

#: Distance of each point from the disc in degree, shape (52,), in the field.
DISC_DISTANCE_DEGREE: Final[NDArray[np.float64]] = float_column("disc_distance_degree")

#: Pass 1 to 7 of the recursive network that yields each point; later passes are farther from the
#: disc. The sizes 5, 4, 4, 4, 4, 4, 1 per half-field are RetiNerveNet's, the membership is ours.
PASS_GROUPS: Final[NDArray[np.intp]] = integer_column("pass_group")
