from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import GridGeometry, Scan, ScanKind
from dicom_node.devices.input_class import is_model_input, is_oct_scan
from dicom_node.devices.reading import read_localizer_reference, read_scan
from tests.builders.opt import build_localizer
from tests.builders.thickness_map import COLUMNS, ROWS, build_thickness_map, expected_um


def code_of(dataset: Dataset, localizer: Dataset | None = None) -> ReasonCode:
    with pytest.raises(ScanRefused) as refused:
        read_scan(dataset, localizer)
    return refused.value.reason.code


def assert_thickness_lies_where_it_belongs(scan: Scan) -> None:
    """Compare up to the origin, which may lie anywhere: the thickness has a mean of 100 µm."""
    grid = scan.geometry
    assert isinstance(grid, GridGeometry)
    rows, columns = np.mgrid[:ROWS, :COLUMNS] - np.array(
        [[[(ROWS - 1) / 2]], [[(COLUMNS - 1) / 2]]]
    )
    places = [
        rows * grid.row_step_mm[axis] + columns * grid.column_step_mm[axis] for axis in (0, 1)
    ]
    known = ~np.isnan(scan.pixels)
    np.testing.assert_allclose(scan.pixels[known], expected_um(*places)[known], atol=0.06)


@pytest.mark.parametrize("laterality", Laterality)
@pytest.mark.parametrize("orientation", [("L", "F"), ("R", "F"), ("L", "H"), ("R", "H")])
def test_map_is_read_in_the_frame_both_eyes_share(
    laterality: Laterality, orientation: tuple[str, str]
) -> None:
    dataset = build_thickness_map(laterality=laterality, orientation=orientation)

    scan = read_scan(dataset, build_localizer(laterality=laterality))

    assert (scan.kind, scan.laterality) == (ScanKind.THICKNESS_MAP, laterality)
    assert scan.pixels.shape == (ROWS, COLUMNS)
    assert scan.pixels.dtype == np.float32
    assert np.isnan(scan.axial_um)
    assert np.isnan(scan.lateral_um)
    assert scan.age_years == pytest.approx(60.0, abs=0.01)
    assert_thickness_lies_where_it_belongs(scan)


def test_map_has_no_thickness_where_the_device_gives_none() -> None:
    missing = np.isnan(read_scan(build_thickness_map()).pixels)

    assert missing[:5, :5].all()
    assert int(missing.sum()) == 25


def test_map_is_meant_for_scoring_and_names_its_localizer() -> None:
    dataset = build_thickness_map()

    assert is_model_input(dataset.SOPClassUID)
    assert is_oct_scan(dataset.SOPClassUID)
    assert read_localizer_reference(dataset) == build_localizer().SOPInstanceUID


def test_map_without_a_localizer_refers_to_none() -> None:
    dataset = build_thickness_map()
    del dataset.ReferencedInstanceSequence[0].PurposeOfReferenceCodeSequence

    assert read_localizer_reference(dataset) is None


def code(value: str) -> Sequence:
    item = Dataset()
    item.CodeValue = value
    return Sequence([item])


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"RetinalThicknessDefinitionCodeSequence": code("111926")}, ReasonCode.NOT_MODEL_INPUT),
        ({"RetinalThicknessDefinitionCodeSequence": None}, ReasonCode.NOT_MODEL_INPUT),
        ({"OphthalmicThicknessMapTypeCodeSequence": code("111932")}, ReasonCode.NOT_MODEL_INPUT),
        ({"OphthalmicMappingDeviceType": "POLARIMETRY"}, ReasonCode.NOT_MODEL_INPUT),
        (
            {"RelativeImagePositionCodeSequence": code("111900")},
            ReasonCode.SCAN_PATTERN_UNSUPPORTED,
        ),
        ({"AnatomicRegionSequence": code("67046006")}, ReasonCode.SCAN_PATTERN_UNSUPPORTED),
        ({"PatientOrientation": None}, ReasonCode.PATTERN_UNKNOWN),
        ({"PatientOrientation": ["L", "P"]}, ReasonCode.PATTERN_UNKNOWN),
        ({"spacing_mm": None}, ReasonCode.SPACING_MISSING),
        ({"spacing_mm": (0.1, 0.0005)}, ReasonCode.SPACING_IMPLAUSIBLE),
        ({"spacing_mm": (0.3, 0.3)}, ReasonCode.SPACING_IMPLAUSIBLE),
        ({"spacing_mm": (0.05, 0.075)}, ReasonCode.SCAN_PATTERN_UNSUPPORTED),
        ({"RealWorldValueMappingSequence": None}, ReasonCode.PIXELS_UNREADABLE),
        ({"BurnedInAnnotation": "YES"}, ReasonCode.DERIVED_OR_BURNED_IN),
        ({"ImageLaterality": None}, ReasonCode.LATERALITY_MISSING),
        ({"Rows": ROWS // 2, "NumberOfFrames": 2}, ReasonCode.NOT_MODEL_INPUT),
        ({"Rows": ROWS + 1}, ReasonCode.PIXELS_TRUNCATED),
    ],
)
def test_map_with_one_fault_is_refused(overrides: dict[str, Any], reason: ReasonCode) -> None:
    assert code_of(build_thickness_map(**overrides)) is reason


def registered(first: list[float], last: list[float]) -> Dataset:
    dataset, place = build_thickness_map(PatientOrientation=None), Dataset()
    place.RegisteredLocalizerTopLeftHandCorner = first
    place.RegisteredLocalizerBottomRightHandCorner = last
    dataset.RegistrationToLocalizerSequence = Sequence([place])
    return dataset


def test_map_takes_its_orientation_from_the_localizer_it_lies_upright_on() -> None:
    dataset = registered([128.0, 130.0], [640.0, 642.0])

    assert_thickness_lies_where_it_belongs(read_scan(dataset, build_localizer()))
    assert code_of(dataset) is ReasonCode.PATTERN_UNKNOWN


@pytest.mark.parametrize(
    ("first", "last"), [([640.0, 130.0], [128.0, 642.0]), ([128.0, 642.0], [640.0, 130.0])]
)
def test_map_mirrored_on_its_localizer_is_refused(first: list[float], last: list[float]) -> None:
    assert code_of(registered(first, last), build_localizer()) is ReasonCode.PATTERN_UNKNOWN


def test_map_that_contradicts_its_localizer_is_refused() -> None:
    dataset = registered([128.0, 130.0], [640.0, 642.0])
    dataset.PatientOrientation = ["R", "F"]

    assert code_of(dataset, build_localizer()) is ReasonCode.PATTERN_CONFLICT


def test_map_of_the_other_eye_than_its_localizer_is_refused() -> None:
    localizer = build_localizer(ImageLaterality="L")

    assert code_of(build_thickness_map(), localizer) is ReasonCode.LATERALITY_CONFLICT


def test_map_is_the_same_where_value_representations_are_implicit() -> None:
    dataset, buffer = build_thickness_map(), BytesIO()
    usual = read_scan(dataset).pixels
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.save_as(buffer, enforce_file_format=True)

    np.testing.assert_array_equal(read_scan(dcmread(BytesIO(buffer.getvalue()))).pixels, usual)
