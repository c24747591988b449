"""From a scan to the nerve fibre profile a model reads: the door of this folder."""

from core.errors import ScanRefused
from core.values.profile import Profile
from core.values.reason import ReasonCode
from core.values.scan import Scan, ScanKind
from inference.preparation.circle import measure_circle
from inference.preparation.thickness_map import profile_of_map
from inference.preparation.volume import circle_in_volume


def prepare(scan: Scan) -> Profile:
    """Return the nerve fibre profile of a scan of the disc, with whether it may be used.

    A scan whose layers cannot be trusted gives a profile that is not assessable and says why; its
    thickness is for looking at, and NaN where the scan shows nothing at all.

    Raises
    ------
    ScanRefused
        `scan_pattern_unsupported` for a scan that shows no nerve fibre layer around a disc,
        `pixels_unreadable` for one too small or without finite values, `disc_not_found` for a
        volume or a thickness map whose disc is not seen whole with the circle around it.
    """
    match scan.kind:
        case ScanKind.CIRCLE:
            return measure_circle(scan)
        case ScanKind.VOLUME:
            return measure_circle(circle_in_volume(scan))
        case ScanKind.THICKNESS_MAP:
            return profile_of_map(scan)
        case _:
            raise ScanRefused(
                ReasonCode.SCAN_PATTERN_UNSUPPORTED,
                f"The scan is a {scan.kind}, in which no nerve fibre profile is measured. Send the "
                "peripapillary circle scan, a volume or a thickness map around the disc.",
            )
