"""One B-scan as an Ophthalmic Tomography Image, laid out as circle scans of real devices are."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    OphthalmicPhotography8BitImageStorage,
    OphthalmicTomographyImageStorage,
)

from core.values.laterality import Laterality
from sample_dicom.ophthalmic import EYE, LOCALIZER, coded, ophthalmic_image
from sample_dicom.picture import describe_pixels, put_pixels
from sample_dicom.study import Study

OCT_SCANNER: Final = Code("392012008", "SCT", "Optical Coherence Tomography Scanner")
CIRCLE_PATTERN: Final = Code("128284", "DCM", "Circle B-scan pattern")
LINE_PATTERN: Final = Code("128281", "DCM", "Line B-scan pattern")


class Orientation(StrEnum):
    """Ophthalmic Image Orientation (0022,0039)."""

    LINEAR = "LINEAR"
    NONLINEAR = "NONLINEAR"


@dataclass(frozen=True)
class OctScan:
    """What is written about one B-scan; None leaves the attribute out.

    Attributes
    ----------
    pixels
        uint8 or uint16, shape (rows, columns); None writes an object without pixels.
    rows, columns
        Size that is written for an object without pixels.
    spacing_mm
        Pixel Spacing: axial, then lateral, in mm.
    coordinates
        Shape (n, 2): rows and columns on the localizer in pixels, 0 at the corner of the first.
    frame_laterality
        Frame Laterality; Image Laterality is the eye's.
    localizer_uid
        The picture the coordinates refer to; needed where there are any.
    pattern
        Scan Pattern Type, which many devices do not write.
    """

    laterality: Laterality
    series_description: str
    pixels: NDArray[np.uint8] | NDArray[np.uint16] | None
    spacing_mm: tuple[float, float] | None
    coordinates: NDArray[np.float64] | None
    orientation: Orientation | None
    frame_laterality: str | None
    localizer_uid: str
    pattern: Code | None = None
    transfer_syntax_uid: UID = ExplicitVRLittleEndian
    rows: int = 496
    columns: int = 768


def oct_instance_uid(study: Study, laterality: Laterality) -> str:
    """Return the SOP Instance UID of the B-scan of that eye."""
    return study.uid(laterality.value, "oct")


def oct_image(study: Study, scan: OctScan) -> Dataset:
    """Return the B-scan as an Ophthalmic Tomography Image."""
    dataset = ophthalmic_image(
        study,
        scan.laterality,
        OphthalmicTomographyImageStorage,
        oct_instance_uid(study, scan.laterality),
    )
    dataset.Modality = "OPT"
    dataset.SeriesInstanceUID = study.uid(scan.laterality.value, "oct series")
    dataset.SeriesNumber = 2 if scan.laterality is Laterality.RIGHT else 4
    dataset.SeriesDescription = scan.series_description
    dataset.AcquisitionNumber = 1
    dataset.FrameOfReferenceUID = study.uid(scan.laterality.value, "frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.AcquisitionDuration = 1.0
    _describe_acquisition(dataset, scan)
    _index_frames(dataset, study, scan)
    dataset.SharedFunctionalGroupsSequence = Sequence([_shared_groups(scan)])
    dataset.PerFrameFunctionalGroupsSequence = Sequence([_frame_groups(dataset, scan)])
    if scan.pixels is None:
        describe_pixels(dataset, scan.rows, scan.columns, bits=8)
    else:
        put_pixels(dataset, scan.pixels, scan.transfer_syntax_uid)
    return dataset


def _describe_acquisition(dataset: Dataset, scan: OctScan) -> None:
    """Write the Ophthalmic Tomography parameters; what a simulator has not is left empty."""
    dataset.AcquisitionDeviceTypeCodeSequence = Sequence([coded(OCT_SCANNER)])
    dataset.AxialLengthOfTheEye = None
    dataset.OphthalmicVolumetricPropertiesFlag = "NO"
    dataset.DepthSpatialResolution = 3.9
    dataset.MaximumDepthDistortion = 0.5
    dataset.AlongScanSpatialResolution = 14.0
    dataset.MaximumAlongScanDistortion = 0.5
    dataset.AcrossScanSpatialResolution = 14.0
    dataset.MaximumAcrossScanDistortion = 0.5
    dataset.IlluminationWaveLength = 870.0
    dataset.IlluminationPower = 1000.0
    dataset.IlluminationBandwidth = 50.0
    if scan.pattern is not None:
        dataset.ScanPatternTypeCodeSequence = Sequence([coded(scan.pattern)])


def _index_frames(dataset: Dataset, study: Study, scan: OctScan) -> None:
    organization_uid = study.uid(scan.laterality.value, "dimensions")
    organization = Dataset()
    organization.DimensionOrganizationUID = organization_uid
    dataset.DimensionOrganizationSequence = Sequence([organization])
    dataset.DimensionIndexSequence = Sequence()
    for keyword in ("StackID", "InStackPositionNumber"):
        index = Dataset()
        index.DimensionOrganizationUID = organization_uid
        index.DimensionIndexPointer = Tag(keyword)
        index.FunctionalGroupPointer = Tag("FrameContentSequence")
        dataset.DimensionIndexSequence.append(index)
    dataset.InConcatenationNumber = 1
    dataset.InConcatenationTotalNumber = 1
    dataset.ConcatenationFrameOffsetNumber = 0


def _shared_groups(scan: OctScan) -> Dataset:
    anatomy = Dataset()
    anatomy.AnatomicRegionSequence = Sequence([coded(EYE)])
    if scan.frame_laterality is not None:
        anatomy.FrameLaterality = scan.frame_laterality
    groups = Dataset()
    groups.FrameAnatomySequence = Sequence([anatomy])
    if scan.spacing_mm is not None:
        axial_mm, lateral_mm = scan.spacing_mm
        measures = Dataset()
        measures.SliceThickness = f"{lateral_mm:.6f}"
        measures.PixelSpacing = [f"{axial_mm:.6f}", f"{lateral_mm:.6f}"]
        groups.PixelMeasuresSequence = Sequence([measures])
    return groups


def _frame_groups(dataset: Dataset, scan: OctScan) -> Dataset:
    content = Dataset()
    content.FrameAcquisitionDateTime = dataset.AcquisitionDateTime
    content.FrameReferenceDateTime = dataset.AcquisitionDateTime
    content.FrameAcquisitionDuration = 1.0
    content.StackID = "1"
    content.InStackPositionNumber = 1
    content.DimensionIndexValues = [1, 1]
    groups = Dataset()
    groups.FrameContentSequence = Sequence([content])
    if scan.coordinates is not None:
        groups.ReferencedImageSequence = Sequence([_localizer_reference(scan)])
        groups.OphthalmicFrameLocationSequence = Sequence([_frame_location(scan)])
    return groups


def _localizer_reference(scan: OctScan) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = OphthalmicPhotography8BitImageStorage
    reference.ReferencedSOPInstanceUID = scan.localizer_uid
    reference.ReferencedFrameNumber = 1
    reference.PurposeOfReferenceCodeSequence = Sequence([coded(LOCALIZER)])
    return reference


def _frame_location(scan: OctScan) -> Dataset:
    location = _localizer_reference(scan)
    pairs = np.asarray(scan.coordinates, dtype=np.float32)
    location.ReferenceCoordinates = [float(value) for value in pairs.ravel()]
    if scan.orientation is not None:
        location.OphthalmicImageOrientation = scan.orientation.value
    return location
