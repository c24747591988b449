"""Several B-scans as one Ophthalmic Tomography Image: a volume, or lines and circles together."""

from collections.abc import Sequence as Frames
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code

from core.values.laterality import Laterality
from sample_dicom.oct_scan import OctScan, Orientation, oct_image
from sample_dicom.study import Study

CUBE_PATTERN: Final = Code("128279", "DCM", "Cube B-scan pattern")
CIRCLE_RADIAL_PATTERN: Final = Code("128287", "DCM", "Circle-Radial B-scan pattern")


@dataclass(frozen=True)
class OctFrame:
    """What is written about one of several B-scans; None leaves the attribute out.

    Attributes
    ----------
    pixels
        uint8 or uint16, shape (rows, columns), the same for all frames of an object.
    coordinates
        Shape (n, 2): rows and columns on the localizer in pixels, 0 at the corner of the first.
    spacing_mm
        Its own Pixel Spacing: axial, then lateral.
    plane
        Shape (3, 3): the position of the first pixel in mm, the direction of the rows and that of
        the columns, each as patient's left, back and head.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    coordinates: NDArray[np.float64] | None = None
    spacing_mm: tuple[float, float] | None = None
    plane: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class OctFrames:
    """What is written about the whole object; None leaves the attribute out.

    Attributes
    ----------
    spacing_mm
        Pixel Spacing all frames share: axial, then lateral.
    distance_mm
        Spacing Between Slices.
    """

    laterality: Laterality
    frames: Frames[OctFrame]
    localizer_uid: str
    spacing_mm: tuple[float, float] | None = None
    distance_mm: float | None = None
    pattern: Code | None = None


def oct_frames_image(study: Study, scan: OctFrames) -> Dataset:
    """Return the B-scans as one Ophthalmic Tomography Image, in the order they are given."""
    pixels = np.stack([frame.pixels for frame in scan.frames])
    dataset = oct_image(study, _first(scan))
    shared, per_frame = dataset.SharedFunctionalGroupsSequence[0], []
    for place, frame in enumerate(scan.frames, start=1):
        alone = oct_image(study, _single(scan, frame)).PerFrameFunctionalGroupsSequence[0]
        alone.FrameContentSequence[0].InStackPositionNumber = place
        alone.FrameContentSequence[0].DimensionIndexValues = [1, place]
        per_frame.append(_with_place(alone, frame))
    if scan.distance_mm is not None:
        shared.PixelMeasuresSequence[0].SpacingBetweenSlices = f"{scan.distance_mm:.6f}"
    dataset.PerFrameFunctionalGroupsSequence = Sequence(per_frame)
    dataset.NumberOfFrames = len(pixels)
    dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    return dataset


def _first(scan: OctFrames) -> OctScan:
    return _single(scan, scan.frames[0])


def _single(scan: OctFrames, frame: OctFrame) -> OctScan:
    orientation = None
    if frame.coordinates is not None:
        straight = len(frame.coordinates) == 2
        orientation = Orientation.LINEAR if straight else Orientation.NONLINEAR
    return OctScan(
        laterality=scan.laterality,
        series_description="OCT VOLUME",
        pixels=frame.pixels,
        spacing_mm=scan.spacing_mm,
        coordinates=frame.coordinates,
        orientation=orientation,
        frame_laterality=scan.laterality.value,
        localizer_uid=scan.localizer_uid,
        pattern=scan.pattern,
    )


def _with_place(groups: Dataset, frame: OctFrame) -> Dataset:
    if frame.spacing_mm is not None:
        measures = Dataset()
        measures.PixelSpacing = [f"{number:.6f}" for number in frame.spacing_mm]
        groups.PixelMeasuresSequence = Sequence([measures])
    if frame.plane is not None:
        position, orientation = Dataset(), Dataset()
        position.ImagePositionPatient = [f"{number:.6f}" for number in frame.plane[0]]
        cosines = [float(number) for number in frame.plane[1:].ravel()]
        orientation.ImageOrientationPatient = [f"{number:.6f}" for number in cosines]
        groups.PlanePositionSequence = Sequence([position])
        groups.PlaneOrientationSequence = Sequence([orientation])
    return groups
