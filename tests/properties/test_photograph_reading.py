"""Whatever a photograph holds: a scan or a refusal, never anything else."""

from copy import deepcopy
from io import BytesIO

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import config, dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import JPEG2000, ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from dicom_node.devices.attributes import silenced_reader
from dicom_node.devices.fundus_localizer import belongs_to_scan, is_localizer
from tests.builders.opt import build_circle_opt, encoded
from tests.builders.photograph import build_photograph
from tests.properties.test_device_reading import (
    VALUE_REPRESENTATIONS,
    VALUES,
    scan_or_refusal,
)

KEYWORDS = [
    "AcquisitionDeviceTypeCodeSequence",
    "AnatomicRegionSequence",
    "BitsAllocated",
    "BitsStored",
    "Columns",
    "ContrastBolusAgentSequence",
    "HorizontalFieldOfView",
    "ImageLaterality",
    "ImageType",
    "Laterality",
    "Manufacturer",
    "ManufacturerModelName",
    "Modality",
    "NumberOfFrames",
    "PatientOrientation",
    "PhotometricInterpretation",
    "PixelData",
    "PixelRepresentation",
    "PixelSpacing",
    "PlanarConfiguration",
    "PrimaryAnatomicStructureSequence",
    "Rows",
    "SamplesPerPixel",
    "SeriesDescription",
]
SYNTAXES = st.sampled_from([ExplicitVRLittleEndian, JPEGBaseline8Bit, JPEG2000, RLELossless])
SLOW_START = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def checked(dataset: Dataset) -> None:
    scan_or_refusal(dataset)
    assert isinstance(is_localizer(dataset), bool)
    assert isinstance(belongs_to_scan(dataset, build_circle_opt()), bool)
    assert isinstance(belongs_to_scan(build_photograph(), dataset), bool)


@SLOW_START
@given(keyword=st.sampled_from(KEYWORDS), representation=VALUE_REPRESENTATIONS, value=VALUES)
def test_any_value_in_any_attribute(keyword: str, representation: str, value: object) -> None:
    photograph = deepcopy(build_photograph())
    with silenced_reader():
        try:
            photograph[keyword] = DataElement(
                Tag(keyword), representation, value, validation_mode=config.IGNORE
            )
        except (TypeError, ValueError, AttributeError, OverflowError):
            return

    checked(photograph)


@SLOW_START
@given(absent=st.sets(st.sampled_from(KEYWORDS), min_size=1))
def test_any_attributes_absent(absent: set[str]) -> None:
    photograph = deepcopy(build_photograph())
    for keyword in absent:
        if keyword in photograph:
            del photograph[keyword]

    checked(photograph)


@SLOW_START
@given(syntax=SYNTAXES, pixels=st.binary(max_size=400))
def test_any_bytes_for_pixels(syntax: str, pixels: bytes) -> None:
    photograph = deepcopy(build_photograph())
    photograph.file_meta.TransferSyntaxUID = syntax
    photograph.PixelData = pixels

    checked(photograph)


@SLOW_START
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_any_damage_to_the_picture(places: list[tuple[float, int]]) -> None:
    """Bytes of the compressed picture itself are changed, not those of the header."""
    file = bytearray(encoded(build_photograph()))
    start = len(file) - len(build_photograph().PixelData)
    for place, value in places:
        file[start + int(place * (len(file) - start - 1))] = value

    with silenced_reader():
        damaged = dcmread(BytesIO(bytes(file)))
    checked(damaged)
