"""A simulated B-scan as the scan of a device."""

from core.values.laterality import Laterality
from core.values.scan import CircleGeometry, Device, Scan, ScanKind
from inference.simulation.b_scans import FRAME, UM_PER_DEGREE, SimulatedBScan

#: Of the circle of 12° on the retina of a normal eye.
_DIAMETER_MM = 3.5


def scan_of(shown: SimulatedBScan) -> Scan:
    """Return the circle scan of a right eye whose picture this is."""
    return Scan(
        kind=ScanKind.CIRCLE,
        pixels=shown.shown,
        axial_um=FRAME.axial_um,
        lateral_um=360 * UM_PER_DEGREE / shown.pixels.shape[1],
        geometry=CircleGeometry(shown.angles_degree, _DIAMETER_MM),
        laterality=Laterality.RIGHT,
        acquired_at=None,
        age_years=None,
        device=Device(),
    )
