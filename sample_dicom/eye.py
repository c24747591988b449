"""One simulated eye: its B-scan and its localizer, which show the same vessels."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.sr.coding import Code
from pydicom.uid import UID, ExplicitVRLittleEndian

from core.values.laterality import Laterality
from inference.simulation.b_scans import COLUMNS, FRAME, BScanOptions, simulate_b_scan
from inference.simulation.circle_course import Circle, CircleCourse, spectralis_course
from inference.simulation.displays import GreyValues
from inference.simulation.localizers import (
    SIZE,
    circle_on_localizer,
    fovea_on_localizer,
    simulate_localizer,
)
from inference.simulation.macular_scans import simulate_macular_line
from inference.simulation.rendering import Light
from inference.simulation.vessels import Vessel, draw_vessels
from sample_dicom.localizer_op import SPACING_MM, localizer_uid
from sample_dicom.oct_scan import OctScan, Orientation
from sample_dicom.study import Study

AXIAL_MM: Final = FRAME.axial_um / 1000

#: Disc so far nasal that the fovea lies in the middle of the picture.
MACULAR_DISC_OFFSET_DEGREE: Final = 15.5


@dataclass(frozen=True)
class Recording:
    """How an eye is scanned and written.

    Attributes
    ----------
    course
        Start and direction of the circle; None: temporal first, then superior.
    light
        Signal, noise and averaging.
    transfer_syntax_uid
        How the pixels of the B-scan are written.
    bits
        8, or 16 for the same grey values on a 16-bit scale.
    pattern
        Scan Pattern Type, None where the device does not write it.
    """

    course: CircleCourse | None = None
    light: Light = field(default_factory=Light)
    transfer_syntax_uid: UID = ExplicitVRLittleEndian
    bits: int = 8
    pattern: Code | None = None


@dataclass(frozen=True)
class ScannedEye:
    """A B-scan, and what the localizer picture it refers to has to show."""

    scan: OctScan
    vessels: tuple[Vessel, ...]
    disc: Circle

    def localizer_pixels(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return the localizer picture of the eye, shape (768, 768)."""
        return simulate_localizer(self.vessels, self.scan.laterality, rng, self.disc)


def scan_circle(
    study: Study,
    laterality: Laterality,
    thickness_um: NDArray[np.floating],
    rng: np.random.Generator,
    recording: Recording | None = None,
) -> ScannedEye:
    """Return the circle scan of an eye with that nerve fibre profile, shape (768,), TSNIT, µm."""
    recording = recording or Recording()
    course = recording.course or spectralis_course(laterality)
    vessels = draw_vessels(rng)
    options = BScanOptions(course=course, light=recording.light, vessels=vessels)
    simulated = simulate_b_scan(thickness_um, laterality, rng, options)
    circle = circle_on_localizer(laterality)
    scan = OctScan(
        laterality=laterality,
        series_description="RNFL circle",
        pixels=_on_scale(simulated.pixels, recording.bits),
        spacing_mm=(AXIAL_MM, 2 * np.pi * circle.radius * SPACING_MM / COLUMNS),
        coordinates=circle.coordinates(course, COLUMNS),
        orientation=Orientation.NONLINEAR,
        frame_laterality=laterality.value,
        localizer_uid=localizer_uid(study, laterality),
        pattern=recording.pattern,
        transfer_syntax_uid=recording.transfer_syntax_uid,
    )
    return ScannedEye(scan, vessels, circle)


def scan_macular_line(
    study: Study,
    laterality: Laterality,
    rng: np.random.Generator,
    recording: Recording | None = None,
) -> ScannedEye:
    """Return a straight scan from image left to image right through the fovea."""
    recording = recording or Recording()
    disc = circle_on_localizer(laterality, MACULAR_DISC_OFFSET_DEGREE)
    fovea_row, _ = fovea_on_localizer(laterality, disc)
    pixels = simulate_macular_line(laterality, rng, recording.light)
    scan = OctScan(
        laterality=laterality,
        series_description="Macular line",
        pixels=_on_scale(pixels, recording.bits),
        spacing_mm=(AXIAL_MM, SPACING_MM * SIZE / COLUMNS),
        coordinates=np.array([[fovea_row, 0.0], [fovea_row, SIZE]]),
        orientation=Orientation.LINEAR,
        frame_laterality=laterality.value,
        localizer_uid=localizer_uid(study, laterality),
        pattern=recording.pattern,
        transfer_syntax_uid=recording.transfer_syntax_uid,
    )
    return ScannedEye(scan, draw_vessels(rng), disc)


def _on_scale(pixels: GreyValues, bits: int) -> GreyValues:
    """Return grey values 0 to 255, or the same shades as 0 to 65535."""
    return pixels if bits == 8 else pixels.astype(np.uint16) * np.uint16(257)
