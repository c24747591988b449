"""From the thickness at each A-scan to the profile in the frame both eyes share."""

import numpy as np
from numpy.typing import NDArray

from core.values.profile import PROFILE_ANGLES_DEGREE


def sample_circle(
    thickness_um: NDArray[np.floating], angles_degree: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the thickness at the 768 TSNIT angles of a profile, float32, micrometre.

    Linear between neighbouring A-scans, over the seam too; where the scan starts and which way it
    runs does not matter, as each A-scan has its own angle.

    Parameters
    ----------
    thickness_um, angles_degree
        Shape (columns,): thickness and TSNIT angle of each A-scan.
    """
    sampled = np.interp(PROFILE_ANGLES_DEGREE, angles_degree, thickness_um, period=360.0)
    return np.asarray(sampled, np.float32)
