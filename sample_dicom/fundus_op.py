"""A colour photograph of the fundus as Ophthalmic Photography 8 Bit Image."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code
from pydicom.tag import Tag
from pydicom.uid import OphthalmicPhotography8BitImageStorage

from core.values.laterality import Laterality
from sample_dicom.lossy import compress_frames
from sample_dicom.ophthalmic import coded, ophthalmic_image
from sample_dicom.study import Study

FUNDUS_CAMERA: Final = Code("409898007", "SCT", "Fundus Camera")
RETINA: Final = Code("5665001", "SCT", "Retina")
MODEL: Final = "Fundus simulator"
_JPEG_QUALITY: Final = 88


def fundus_uid(study: Study, laterality: Laterality) -> str:
    """Return the SOP Instance UID of the photograph of that eye."""
    return study.uid(laterality.value, "fundus")


def fundus_op(
    study: Study, laterality: Laterality, pixels: NDArray[np.uint8], field_degree: float
) -> Dataset:
    """Return the photograph of one eye in JPEG, as fundus cameras send it.

    Parameters
    ----------
    pixels
        uint8, shape (rows, columns, 3): red, green and blue.
    field_degree
        Angle that the width of the picture shows.
    """
    dataset = ophthalmic_image(
        study,
        laterality,
        OphthalmicPhotography8BitImageStorage,
        fundus_uid(study, laterality),
    )
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "", "COLOR"]
    dataset.Modality = "OP"
    dataset.ManufacturerModelName = MODEL
    dataset.StudyDescription = "SYNTHETIC FUNDUS"
    dataset.SeriesInstanceUID = study.uid(laterality.value, "fundus series")
    dataset.SeriesNumber = 1 if laterality is Laterality.RIGHT else 2
    dataset.SeriesDescription = "Fundus colour"
    dataset.AnatomicRegionSequence = Sequence([coded(RETINA)])
    dataset.PatientOrientation = ["L", "F"]
    dataset.HorizontalFieldOfView = field_degree
    _describe_acquisition(dataset)
    _put_jpeg(dataset, pixels)
    return dataset


def _describe_acquisition(dataset: Dataset) -> None:
    dataset.AcquisitionDeviceTypeCodeSequence = Sequence([coded(FUNDUS_CAMERA)])
    dataset.IlluminationTypeCodeSequence = Sequence()
    dataset.ImagePathFilterTypeStackCodeSequence = Sequence()
    dataset.LensesCodeSequence = Sequence()
    dataset.PatientEyeMovementCommanded = "NO"
    dataset.FrameTime = "0"
    dataset.FrameIncrementPointer = Tag("FrameTime")


def _put_jpeg(dataset: Dataset, pixels: NDArray[np.uint8]) -> None:
    rows, columns, samples = pixels.shape
    dataset.SamplesPerPixel = samples
    dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.NumberOfFrames = 1
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    compress_frames(dataset, [pixels], _JPEG_QUALITY)
    # PS3.3 C.8.17.2.1.3: lossy compression alone does not make an image DERIVED.
    del dataset.PresentationLUTShape
