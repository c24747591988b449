"""How far the thickness measured in a B-scan is expected to be off, from figures of the scan alone.

The weights are least squares, none below zero, of the relative error on 100 simulated scans of
mixed difficulty; a test holds the foretold error against that of other scans. They know nothing of
what the simulator does not show.
"""

from typing import Final

from inference.preparation.measures import Measures

#: Micrometre that even a scan without fault is off.
_LEAST_UM: Final = 0.9
#: For each micrometre the edge of the membrane is wider than in a sharp scan.
_SHARP_EDGE_UM: Final = 10.0
_PER_EDGE_UM: Final = 0.5
#: Over the contrast.
_NOISE_UM: Final = 3.6
#: For each micrometre the lower border strays from its smooth course.
_PER_RESTLESS_UM: Final = 0.66
#: For a circle that lies under vessels all the way round.
_SHADOW_UM: Final = 7.8


def expected_error_um(measures: Measures) -> float:
    """Return the mean absolute error of the thickness to expect over the circle, in micrometre."""
    return (
        _LEAST_UM
        + _PER_EDGE_UM * max(measures.edge_um - _SHARP_EDGE_UM, 0.0)
        + _NOISE_UM / max(measures.contrast, 1e-3)
        + _PER_RESTLESS_UM * measures.restless_um
        + _SHADOW_UM * measures.shadow_share
    )
