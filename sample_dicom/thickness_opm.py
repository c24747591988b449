"""Nerve fibre layer thickness over the disc as an Ophthalmic Thickness Map."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code
from pydicom.uid import OphthalmicPhotography8BitImageStorage, OphthalmicThicknessMapStorage

from core.values.laterality import Laterality
from sample_dicom.ophthalmic import EYE, LOCALIZER, coded, ophthalmic_image
from sample_dicom.picture import put_pixels
from sample_dicom.study import Study

ABSOLUTE_THICKNESS: Final = Code("111930", "DCM", "Absolute ophthalmic thickness")
NERVE_FIBRE_LAYER: Final = Code("111925", "DCM", "Retinal nerve fiber layer thickness")
SPECTRAL_DOMAIN: Final = Code("111921", "DCM", "Spectral domain")
MICROMETRE: Final = Code("um", "UCUM", "micrometer")
NOT_A_NUMBER: Final = Code("114000", "DCM", "Not a number")
#: The stored value of a pixel without thickness, and what one step of the others is.
NO_THICKNESS: Final = 65535
STEP_UM: Final = 0.1


@dataclass(frozen=True)
class ThicknessMap:
    """What is written about one map; None leaves the attribute out.

    Attributes
    ----------
    thickness_um
        Shape (rows, columns), micrometre, NaN where there is no value.
    spacing_mm
        Pixel Spacing: of the rows, then of the columns.
    orientation
        Patient Orientation.
    """

    laterality: Laterality
    thickness_um: NDArray[np.floating]
    spacing_mm: tuple[float, float] | None
    localizer_uid: str
    orientation: tuple[str, str] | None = ("L", "F")


def thickness_map_uid(study: Study, laterality: Laterality) -> str:
    """Return the SOP Instance UID of the map of that eye."""
    return study.uid(laterality.value, "thickness map")


def thickness_map_image(study: Study, scan: ThicknessMap) -> Dataset:
    """Return the map as an Ophthalmic Thickness Map of the nerve fibre layer."""
    uid = thickness_map_uid(study, scan.laterality)
    dataset = ophthalmic_image(study, scan.laterality, OphthalmicThicknessMapStorage, uid)
    dataset.Modality = "OPM"
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.SeriesInstanceUID = study.uid(scan.laterality.value, "thickness map series")
    dataset.SeriesNumber = 5 if scan.laterality is Laterality.RIGHT else 6
    dataset.SeriesDescription = "RNFL THICKNESS MAP"
    dataset.AnatomicRegionSequence = Sequence([coded(EYE)])
    dataset.PixelPresentation = "MONOCHROME"
    dataset.OphthalmicMappingDeviceType = "OCT"
    dataset.AcquisitionMethodCodeSequence = Sequence([coded(SPECTRAL_DOMAIN)])
    dataset.OphthalmicThicknessMapTypeCodeSequence = Sequence([coded(ABSOLUTE_THICKNESS)])
    dataset.RetinalThicknessDefinitionCodeSequence = Sequence([coded(NERVE_FIBRE_LAYER)])
    if scan.orientation is not None:
        dataset.PatientOrientation = list(scan.orientation)
    if scan.spacing_mm is not None:
        dataset.PixelSpacing = [f"{number:.6f}" for number in scan.spacing_mm]
    dataset.ReferencedInstanceSequence = Sequence([_localizer_reference(scan)])
    _put_thickness(dataset, scan.thickness_um)
    return dataset


def _localizer_reference(scan: ThicknessMap) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = OphthalmicPhotography8BitImageStorage
    reference.ReferencedSOPInstanceUID = scan.localizer_uid
    reference.PurposeOfReferenceCodeSequence = Sequence([coded(LOCALIZER)])
    return reference


def _put_thickness(dataset: Dataset, thickness_um: NDArray[np.floating]) -> None:
    known = ~np.isnan(thickness_um)
    stored = np.full(thickness_um.shape, NO_THICKNESS, np.uint16)
    stored[known] = np.round(thickness_um[known] / STEP_UM).astype(np.uint16)
    put_pixels(dataset, stored)
    del dataset.NumberOfFrames
    mapping = Dataset()
    mapping.LUTExplanation = "Nerve fibre layer thickness"
    mapping.LUTLabel = "THICKNESS"
    mapping.MeasurementUnitsCodeSequence = Sequence([coded(MICROMETRE)])
    mapping.add_new("RealWorldValueFirstValueMapped", "US", 0)
    mapping.add_new("RealWorldValueLastValueMapped", "US", NO_THICKNESS - 1)
    mapping.RealWorldValueIntercept = 0.0
    mapping.RealWorldValueSlope = STEP_UM
    dataset.RealWorldValueMappingSequence = Sequence([mapping])
    absent = Dataset()
    absent.add_new("MappedPixelValue", "US", NO_THICKNESS)
    absent.PixelValueMappingCodeSequence = Sequence([coded(NOT_A_NUMBER)])
    dataset.PixelValueMappingToCodedConceptSequence = Sequence([absent])
