"""The objects that are stored: invented patients, pixels without meaning, real attributes."""

from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    OphthalmicPhotography8BitImageStorage,
    OphthalmicTomographyImageStorage,
)

from arcuate.bench.ingest.encoded_object import PLACEHOLDER, EncodedObject

_EYE: Final = Code("81745001", "SCT", "Eye")
_RETINA: Final = Code("5665001", "SCT", "Retina")
_SCANNER: Final = Code("392012008", "SCT", "Optical Coherence Tomography Scanner")
_CAMERA: Final = Code("409898007", "SCT", "Fundus Camera")
_LOCALIZER: Final = Code("121311", "DCM", "Localizer")
_LOCALIZER_UID: Final = "2.25.255555555555555555555555555555555555"
_ACQUIRED: Final = "20240320103000"
#: Points that describe a circle on its localizer, two numbers each.
_CIRCLE_POINTS: Final = 768
_SEED: Final = 1
#: Standard deviation of the grain that keeps a JPEG from becoming small, of 255.
_GRAIN: Final = 9.3


def circle_scan() -> EncodedObject:
    """Return a circle scan of the nerve: one frame of 496 × 768 pixels."""
    return _encoded(_tomography(1, 496, 768), ExplicitVRLittleEndian)


def volume(frames: int, rows: int, columns: int) -> EncodedObject:
    """Return a volume with functional groups for each frame."""
    return _encoded(_tomography(frames, rows, columns), ExplicitVRLittleEndian)


def fundus_photograph() -> EncodedObject:
    """Return a colour photograph of 1536 × 2048 pixels in JPEG."""
    dataset = _ophthalmic_image(OphthalmicPhotography8BitImageStorage, "OP")
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "", "COLOR"]
    dataset.AnatomicRegionSequence = Sequence([_coded(_RETINA)])
    dataset.AcquisitionDeviceTypeCodeSequence = Sequence([_coded(_CAMERA)])
    dataset.HorizontalFieldOfView = 45.0
    dataset.PatientOrientation = ["L", "F"]
    dataset.PatientEyeMovementCommanded = "NO"
    picture = _photograph(1536, 2048)
    _describe_pixels(dataset, 1, *picture.shape[:2])
    dataset.SamplesPerPixel = 3
    dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionMethod = "ISO_10918_1"
    dataset.PixelData = encapsulate([_jpeg(picture)])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return _encoded(dataset, JPEGBaseline8Bit)


def _tomography(frames: int, rows: int, columns: int) -> Dataset:
    dataset = _ophthalmic_image(OphthalmicTomographyImageStorage, "OPT")
    dataset.AcquisitionDeviceTypeCodeSequence = Sequence([_coded(_SCANNER)])
    dataset.DepthSpatialResolution = 3.9
    dataset.AlongScanSpatialResolution = 14.0
    dataset.IlluminationWaveLength = 870.0
    dataset.FrameOfReferenceUID = _LOCALIZER_UID + "7"
    dataset.SharedFunctionalGroupsSequence = Sequence([_shared_groups()])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(
        [_frame_groups(place, frames) for place in range(frames)]
    )
    _describe_pixels(dataset, frames, rows, columns)
    rng = np.random.default_rng(_SEED)
    dataset.PixelData = rng.integers(0, 256, frames * rows * columns, np.uint8).tobytes()
    dataset["PixelData"].VR = "OB"
    return dataset


def _ophthalmic_image(sop_class_uid: UID, modality: str) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.SOPClassUID = sop_class_uid
    dataset.SOPInstanceUID = PLACEHOLDER.sop_instance_uid
    dataset.StudyInstanceUID = PLACEHOLDER.study_instance_uid
    dataset.SeriesInstanceUID = PLACEHOLDER.series_instance_uid
    dataset.PatientID = PLACEHOLDER.patient_id
    dataset.PatientName = "Bench^Invented"
    dataset.PatientBirthDate = "19600101"
    dataset.PatientSex = "O"
    dataset.StudyDate = dataset.ContentDate = _ACQUIRED[:8]
    dataset.StudyTime = dataset.ContentTime = _ACQUIRED[8:]
    dataset.AcquisitionDateTime = _ACQUIRED
    dataset.StudyID = "1"
    dataset.AccessionNumber = "BENCH"
    dataset.ReferringPhysicianName = ""
    dataset.Modality = modality
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    dataset.Manufacturer = "Arcuate synthetic"
    dataset.ManufacturerModelName = "Bench"
    dataset.DeviceSerialNumber = "BENCH-1"
    dataset.SoftwareVersions = "1.0"
    dataset.ImageLaterality = "R"
    dataset.AnatomicRegionSequence = Sequence([_coded(_EYE)])
    dataset.BurnedInAnnotation = "NO"
    return dataset


def _describe_pixels(dataset: Dataset, frames: int, rows: int, columns: int) -> None:
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.NumberOfFrames = frames
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0


def _shared_groups() -> Dataset:
    measures, anatomy, groups = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = ["0.0039", "0.0140"]
    measures.SliceThickness = "0.0140"
    anatomy.FrameLaterality = "R"
    anatomy.AnatomicRegionSequence = Sequence([_coded(_EYE)])
    groups.PixelMeasuresSequence = Sequence([measures])
    groups.FrameAnatomySequence = Sequence([anatomy])
    return groups


def _frame_groups(place: int, frames: int) -> Dataset:
    content, groups = Dataset(), Dataset()
    content.FrameAcquisitionDateTime = content.FrameReferenceDateTime = _ACQUIRED
    content.FrameAcquisitionDuration = 1.0
    content.StackID = "1"
    content.InStackPositionNumber = place + 1
    content.DimensionIndexValues = [1, place + 1]
    groups.FrameContentSequence = Sequence([content])
    groups.ReferencedImageSequence = Sequence([_localizer_reference()])
    location = _localizer_reference()
    location.ReferenceCoordinates = _coordinates(place, frames)
    location.OphthalmicImageOrientation = "LINEAR" if frames > 1 else "NONLINEAR"
    groups.OphthalmicFrameLocationSequence = Sequence([location])
    return groups


def _localizer_reference() -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = OphthalmicPhotography8BitImageStorage
    reference.ReferencedSOPInstanceUID = _LOCALIZER_UID
    reference.ReferencedFrameNumber = 1
    reference.PurposeOfReferenceCodeSequence = Sequence([_coded(_LOCALIZER)])
    return reference


def _coordinates(place: int, frames: int) -> list[float]:
    """Return rows and columns on the localizer: a circle, or the line of one frame of many."""
    if frames > 1:
        row = 128.0 + 512.0 * place / (frames - 1)
        return [row, 128.0, row, 640.0]
    angles = 2 * np.pi * np.arange(_CIRCLE_POINTS) / _CIRCLE_POINTS
    pairs = 384 + 148 * np.column_stack((np.sin(angles), np.cos(angles)))
    return [float(number) for number in pairs.astype(np.float32).ravel()]


def _photograph(rows: int, columns: int) -> NDArray[np.uint8]:
    """Return a retina-coloured picture with grain, shape (rows, columns, 3)."""
    rng = np.random.default_rng(_SEED)
    grain = rng.normal(0.0, _GRAIN, (rows, columns, 1))
    return np.clip(np.array([176.0, 92.0, 40.0]) + grain, 0, 255).astype(np.uint8)


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    file = BytesIO()
    # Subsampling 1: two columns share a colour, which is what YBR_FULL_422 says.
    Image.fromarray(picture).save(file, "JPEG", quality=88, subsampling=1)
    return file.getvalue()


def _coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning
    return item


def _encoded(dataset: Dataset, transfer_syntax_uid: UID) -> EncodedObject:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, dataset)
    return EncodedObject.of(str(dataset.SOPClassUID), str(transfer_syntax_uid), buffer.getvalue())
