"""An infrared localizer as Ophthalmic Photography 8 Bit Image."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian, OphthalmicPhotography8BitImageStorage

from core.values.laterality import Laterality
from sample_dicom.ophthalmic import coded, ophthalmic_image
from sample_dicom.picture import put_pixels
from sample_dicom.study import Study

#: Retina covered by one pixel of a 30° picture in mm, a value real devices write.
SPACING_MM: Final = 0.011715

SCANNING_LASER_OPHTHALMOSCOPE: Final = Code("392001008", "SCT", "Scanning Laser Ophthalmoscope")


def localizer_uid(study: Study, laterality: Laterality) -> str:
    """Return the SOP Instance UID of the localizer of that eye."""
    return study.uid(laterality.value, "localizer")


def localizer_op(
    study: Study,
    laterality: Laterality,
    pixels: NDArray[np.uint8],
    transfer_syntax_uid: UID = ExplicitVRLittleEndian,
) -> Dataset:
    """Return the localizer of one eye: the picture the circle's coordinates refer to."""
    dataset = ophthalmic_image(
        study,
        laterality,
        OphthalmicPhotography8BitImageStorage,
        localizer_uid(study, laterality),
    )
    dataset.Modality = "OP"
    dataset.SeriesInstanceUID = study.uid(laterality.value, "localizer series")
    dataset.SeriesNumber = 1 if laterality is Laterality.RIGHT else 3
    dataset.SeriesDescription = "IR"
    dataset.PatientOrientation = ["L", "F"]
    dataset.PixelSpacing = [SPACING_MM, SPACING_MM]
    _describe_acquisition(dataset)
    put_pixels(dataset, pixels, transfer_syntax_uid)
    return dataset


def _describe_acquisition(dataset: Dataset) -> None:
    dataset.AcquisitionDeviceTypeCodeSequence = Sequence([coded(SCANNING_LASER_OPHTHALMOSCOPE)])
    dataset.IlluminationTypeCodeSequence = Sequence()
    dataset.ImagePathFilterTypeStackCodeSequence = Sequence()
    dataset.LensesCodeSequence = Sequence()
    dataset.PatientEyeMovementCommanded = "NO"
    dataset.FrameTime = "0"
    dataset.FrameIncrementPointer = Tag("FrameTime")
