"""Whatever a volume, a set of lines and circles or a thickness map holds: a scan or a refusal."""

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from core.values.scan import GridGeometry
from dicom_node.devices.reading import read_scan
from tests.builders.mixed import build_mixed_opt
from tests.builders.opt import build_localizer
from tests.builders.thickness_map import build_thickness_map
from tests.builders.volume import Field, build_volume_opt
from tests.properties.test_device_reading import (
    SLOW_START,
    VALUE_REPRESENTATIONS,
    VALUES,
    put,
    scan_or_refusal,
)

#: Copies of objects with many frames are slow.
FEW = settings(SLOW_START, max_examples=40)
FIELD = Field(frames=20, columns=70, width_mm=4.1, height_mm=4.1)
BUILDERS: dict[str, Callable[[], Dataset]] = {
    "volume": lambda: build_volume_opt(field=FIELD, planes=True),
    "volume in planes": lambda: build_volume_opt(field=FIELD, located=False, planes=True),
    "mixed": lambda: build_mixed_opt(radials=4),
    "map": build_thickness_map,
}
OBJECTS = {name: build() for name, build in BUILDERS.items()}
ATTRIBUTES = [
    "AnatomicRegionSequence",
    "BitsAllocated",
    "BitsStored",
    "Columns",
    "ImageLaterality",
    "NumberOfFrames",
    "OphthalmicMappingDeviceType",
    "OphthalmicThicknessMapTypeCodeSequence",
    "OphthalmicVolumetricPropertiesFlag",
    "PatientOrientation",
    "PerFrameFunctionalGroupsSequence",
    "PixelData",
    "PixelPaddingValue",
    "PixelRepresentation",
    "PixelSpacing",
    "PixelValueMappingToCodedConceptSequence",
    "RealWorldValueMappingSequence",
    "ReferencedInstanceSequence",
    "RegistrationToLocalizerSequence",
    "RelativeImagePositionCodeSequence",
    "RetinalThicknessDefinitionCodeSequence",
    "Rows",
    "ScanPatternTypeCodeSequence",
    "SharedFunctionalGroupsSequence",
]
FRAME_ATTRIBUTES = [
    ("FrameAnatomySequence", "FrameLaterality"),
    ("FrameAnatomySequence", "AnatomicRegionSequence"),
    ("OphthalmicFrameLocationSequence", "ReferenceCoordinates"),
    ("OphthalmicFrameLocationSequence", "OphthalmicImageOrientation"),
    ("PixelMeasuresSequence", "PixelSpacing"),
    ("PixelMeasuresSequence", "SpacingBetweenSlices"),
    ("PlaneOrientationSequence", "ImageOrientationPatient"),
    ("PlanePositionSequence", "ImagePositionPatient"),
]
MAPPING_ATTRIBUTES = [
    "MeasurementUnitsCodeSequence",
    "RealWorldValueFirstValueMapped",
    "RealWorldValueIntercept",
    "RealWorldValueLUTData",
    "RealWorldValueLastValueMapped",
    "RealWorldValueSlope",
]


def any_object(name: str) -> Dataset:
    """Return a copy that may be changed down to its frames; the pixels are shared."""
    return deepcopy(OBJECTS[name])


@FEW
@given(
    name=st.sampled_from(list(OBJECTS)),
    keyword=st.sampled_from(ATTRIBUTES),
    vr=VALUE_REPRESENTATIONS,
    value=VALUES,
)
def test_any_value_gives_a_scan_or_a_refusal(
    name: str, keyword: str, vr: str, value: object
) -> None:
    dataset = any_object(name)
    if put(dataset, keyword, vr, value):
        scan_or_refusal(dataset, build_localizer())


@FEW
@given(
    name=st.sampled_from(["volume", "volume in planes", "mixed"]),
    keywords=st.sampled_from(FRAME_ATTRIBUTES),
    everywhere=st.booleans(),
    vr=VALUE_REPRESENTATIONS,
    value=VALUES,
)
def test_any_value_of_a_frame_gives_a_scan_or_a_refusal(
    name: str, keywords: tuple[str, str], everywhere: bool, vr: str, value: object
) -> None:
    dataset, item = any_object(name), Dataset()
    if not put(item, keywords[1], vr, value):
        return
    frames = dataset.PerFrameFunctionalGroupsSequence
    for groups in frames if everywhere else frames[2:3]:
        groups[Tag(keywords[0])] = DataElement(Tag(keywords[0]), "SQ", Sequence([item]))
    scan_or_refusal(dataset, build_localizer())


@FEW
@given(keyword=st.sampled_from(MAPPING_ATTRIBUTES), vr=VALUE_REPRESENTATIONS, value=VALUES)
def test_any_mapping_of_values_gives_a_scan_or_a_refusal(
    keyword: str, vr: str, value: object
) -> None:
    dataset = any_object("map")
    if put(dataset.RealWorldValueMappingSequence[0], keyword, vr, value):
        scan_or_refusal(dataset, build_localizer())


@FEW
@given(numbers=st.lists(st.floats(width=32), min_size=3, max_size=6), frame=st.integers(0, 19))
def test_any_place_of_a_frame_gives_a_scan_or_a_refusal(numbers: list[float], frame: int) -> None:
    dataset = any_object("volume")
    groups = dataset.PerFrameFunctionalGroupsSequence[frame]
    groups.OphthalmicFrameLocationSequence[0].ReferenceCoordinates = numbers[:4]
    put(groups.PlanePositionSequence[0], "ImagePositionPatient", "FD", numbers[:3])
    put(groups.PlaneOrientationSequence[0], "ImageOrientationPatient", "FD", numbers)

    scan_or_refusal(dataset, build_localizer())


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_are_scans_as_they_are(name: str) -> None:
    read_scan(any_object(name), build_localizer())


@settings(FEW, max_examples=20)
@given(order=st.permutations(range(20)))
def test_order_of_frames_does_not_matter(order: list[int]) -> None:
    dataset = any_object("volume")
    frames = list(dataset.PerFrameFunctionalGroupsSequence)
    pixels = np.frombuffer(dataset.PixelData, np.uint8).reshape(20, -1)
    dataset.PerFrameFunctionalGroupsSequence = Sequence([frames[place] for place in order])
    dataset.PixelData = pixels[order].tobytes()

    scan, usual = (read_scan(any_of, build_localizer()) for any_of in (dataset, OBJECTS["volume"]))

    np.testing.assert_array_equal(scan.pixels, usual.pixels)
    assert isinstance(scan.geometry, GridGeometry)
    assert isinstance(usual.geometry, GridGeometry)
    np.testing.assert_allclose(scan.geometry.row_step_mm, usual.geometry.row_step_mm, atol=1e-9)
