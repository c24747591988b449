"""Whatever a data set holds: a scan or a refusal, never anything else."""

from copy import deepcopy
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import config, dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from core.errors import ScanRefused
from core.values.reason import Reason
from core.values.scan import Scan
from dicom_node.devices.attributes import READING_ERRORS, silenced_reader
from dicom_node.devices.description import ScanDescription, describe
from dicom_node.devices.reading import read_localizer_reference, read_scan
from tests.builders.opt import build_circle_opt, build_localizer, encoded

KEYWORDS = [
    "AcquisitionDateTime",
    "BitsAllocated",
    "BitsStored",
    "BurnedInAnnotation",
    "Columns",
    "ImageLaterality",
    "ImageType",
    "InConcatenationTotalNumber",
    "Manufacturer",
    "NumberOfFrames",
    "OphthalmicVolumetricPropertiesFlag",
    "PatientAge",
    "PatientBirthDate",
    "PerFrameFunctionalGroupsSequence",
    "PhotometricInterpretation",
    "PixelData",
    "PixelRepresentation",
    "Rows",
    "SOPClassUID",
    "SamplesPerPixel",
    "ScanPatternTypeCodeSequence",
    "SharedFunctionalGroupsSequence",
    "SpecificCharacterSet",
]
FRAME_KEYWORDS = [
    "FrameAnatomySequence",
    "FrameContentSequence",
    "OphthalmicFrameLocationSequence",
    "PixelMeasuresSequence",
    "PlanePositionSequence",
]
VALUES = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.integers(-(2**40), 2**40),
    st.floats(),
    st.lists(st.one_of(st.text(max_size=5), st.floats(), st.none()), max_size=5),
    st.sampled_from(["1A", "R\\L", "OD,OS\0x", "-1", "NaN", "1e400", "20240230"]),
    st.lists(st.builds(Dataset), max_size=2).map(Sequence),
)
VALUE_REPRESENTATIONS = st.sampled_from(
    ["CS", "LO", "US", "DS", "IS", "FD", "SQ", "OB", "UN", "DT"]
)
SLOW_START = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def scan_or_refusal(dataset: Dataset, localizer: Dataset | None = None) -> None:
    assert isinstance(describe(dataset, localizer), ScanDescription)
    assert isinstance(read_localizer_reference(dataset), str | None)
    try:
        outcome: Scan | Reason = read_scan(dataset, localizer)
    except ScanRefused as refused:
        outcome = refused.reason
    assert isinstance(outcome, Scan | Reason)


def put(dataset: Dataset, keyword: str, vr: str, value: object) -> bool:
    """Set an attribute to anything; False where pydicom itself cannot hold it."""
    try:
        with silenced_reader():
            element = DataElement(Tag(keyword), vr, value, validation_mode=config.IGNORE)
    except READING_ERRORS:
        return False
    dataset[Tag(keyword)] = element
    return True


@SLOW_START
@given(keyword=st.sampled_from(KEYWORDS), vr=VALUE_REPRESENTATIONS, value=VALUES)
def test_reading_any_value_gives_a_scan_or_a_refusal(keyword: str, vr: str, value: object) -> None:
    dataset = build_circle_opt()
    if put(dataset, keyword, vr, value):
        scan_or_refusal(dataset, build_localizer())


@SLOW_START
@given(
    keyword=st.sampled_from(FRAME_KEYWORDS),
    inner=st.sampled_from(["ReferenceCoordinates", "PixelSpacing", "FrameLaterality"]),
    vr=VALUE_REPRESENTATIONS,
    value=VALUES,
)
def test_reading_any_value_of_a_frame_gives_a_scan_or_a_refusal(
    keyword: str, inner: str, vr: str, value: object
) -> None:
    dataset = deepcopy(build_circle_opt())
    item = Dataset()
    if put(item, inner, vr, value):
        dataset.PerFrameFunctionalGroupsSequence[0][Tag(keyword)] = DataElement(
            Tag(keyword), "SQ", Sequence([item])
        )
        scan_or_refusal(dataset)


@SLOW_START
@given(numbers=st.lists(st.floats(width=32), max_size=40))
def test_reading_any_coordinates_gives_a_scan_or_a_refusal(numbers: list[float]) -> None:
    dataset = deepcopy(build_circle_opt())
    place = dataset.PerFrameFunctionalGroupsSequence[0].OphthalmicFrameLocationSequence[0]
    place.ReferenceCoordinates = numbers

    scan_or_refusal(dataset, build_localizer())


@SLOW_START
@given(position=st.integers(132, 6000), damage=st.binary(min_size=1, max_size=8))
def test_reading_a_damaged_file_gives_a_scan_or_a_refusal(position: int, damage: bytes) -> None:
    whole = encoded(build_circle_opt())
    damaged = whole[:position] + damage + whole[position + len(damage) :]
    with silenced_reader():
        try:
            dataset = dcmread(BytesIO(damaged))
        except (*READING_ERRORS, InvalidDicomError):
            return
    scan_or_refusal(dataset)


@pytest.mark.parametrize("depth", [50, 2000])
def test_reading_deeply_nested_sequences_gives_a_scan(depth: int) -> None:
    dataset = build_circle_opt()
    inner = Dataset()
    for _ in range(depth):
        outer = Dataset()
        outer.ReferencedImageSequence = Sequence([inner])
        inner = outer
    dataset.SourceImageSequence = Sequence([inner])

    assert isinstance(read_scan(dataset, build_localizer()), Scan)
