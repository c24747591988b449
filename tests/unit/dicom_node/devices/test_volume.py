from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import GridGeometry, Scan, ScanKind
from dicom_node.devices.localizer import Localizer
from dicom_node.devices.pixels import PixelDescription
from dicom_node.devices.reading import read_scan
from dicom_node.devices.volume import read_volume_grid
from sample_dicom.oct_frames import CUBE_PATTERN
from tests.builders.opt import build_localizer
from tests.builders.volume import AXIAL_MM, ROWS, Field, build_volume_opt, place_mm

#: One step of the 8 bit greys the places are told by, and half of the localizer's pixel.
TOLERANCE_MM = 0.04


def predicted_mm(scan: Scan) -> NDArray[np.float64]:
    """Where the geometry says each A-scan lies, shape (B-scans, columns, 2)."""
    grid = scan.geometry
    assert isinstance(grid, GridGeometry)
    frames, columns = scan.pixels.shape[0], scan.pixels.shape[2]
    rows = np.arange(frames)[:, None, None] * np.array(grid.row_step_mm)
    steps = np.arange(columns)[:, None] * np.array(grid.column_step_mm)
    return np.asarray(np.array(grid.origin_mm) + rows + steps, np.float64)


def assert_geometry_tells_the_places(scan: Scan) -> None:
    """Compare up to the origin, which may lie anywhere."""
    predicted, shown = predicted_mm(scan), place_mm(scan.pixels)
    offset = (shown - predicted).mean(axis=(0, 1))
    np.testing.assert_allclose(predicted + offset, shown, atol=TOLERANCE_MM)


def code_of(with_localizer: bool = True, **overrides: Any) -> ReasonCode:
    localizer = build_localizer() if with_localizer else None
    with pytest.raises(ScanRefused) as refused:
        read_scan(build_volume_opt(**overrides), localizer)
    return refused.value.reason.code


@pytest.mark.parametrize("laterality", Laterality)
@pytest.mark.parametrize("bits", [8, 16])
def test_volume_is_read_as_it_was_taken(laterality: Laterality, bits: int) -> None:
    dataset = build_volume_opt(laterality=laterality, bits=bits, pattern=CUBE_PATTERN)

    scan = read_scan(dataset, build_localizer(laterality=laterality))

    assert (scan.kind, scan.laterality) == (ScanKind.VOLUME, laterality)
    assert scan.pixels.shape == (40, ROWS, 100)
    assert scan.pixels.dtype == np.float32
    assert (scan.axial_um, scan.lateral_um) == pytest.approx((1000 * AXIAL_MM, 60.0))
    assert scan.notes == ()
    assert_geometry_tells_the_places(scan)


@pytest.mark.parametrize("laterality", Laterality)
@pytest.mark.parametrize("turn", ["", "column", "row", "vertical"])
@pytest.mark.parametrize(("located", "planes"), [(True, False), (False, True), (True, True)])
def test_volume_is_the_same_eye_whichever_way_it_was_scanned(
    laterality: Laterality, turn: str, located: bool, planes: bool
) -> None:
    dataset = build_volume_opt(laterality=laterality, turn=turn, located=located, planes=planes)

    scan = read_scan(dataset, build_localizer(laterality=laterality) if located else None)

    assert len(scan.notes) == (0 if located else 1)
    assert_geometry_tells_the_places(scan)


def test_volume_turned_a_little_is_read() -> None:
    scan = read_scan(build_volume_opt(turned_degree=8.0), build_localizer())

    assert_geometry_tells_the_places(scan)


@pytest.mark.parametrize("orientation", [["R", "F"], ["L", "H"], ["R", "H"]])
def test_volume_follows_a_localizer_that_is_turned(orientation: list[str]) -> None:
    usual = read_scan(build_volume_opt(), build_localizer())
    turned = read_scan(build_volume_opt(), build_localizer(PatientOrientation=orientation))

    signs = [1 if orientation[0] == "L" else -1, 1 if orientation[1] == "F" else -1]
    assert isinstance(usual.geometry, GridGeometry)
    assert isinstance(turned.geometry, GridGeometry)
    np.testing.assert_allclose(
        turned.geometry.column_step_mm, np.array(usual.geometry.column_step_mm) * signs
    )


@pytest.mark.parametrize("laterality", Laterality)
def test_volume_of_shuffled_frames_is_put_in_order(laterality: Laterality) -> None:
    order = np.random.default_rng(5).permutation(40).tolist()
    localizer = build_localizer(laterality=laterality)

    shuffled = read_scan(build_volume_opt(laterality=laterality, frame_order=order), localizer)
    usual = read_scan(build_volume_opt(laterality=laterality), localizer)

    np.testing.assert_array_equal(shuffled.pixels, usual.pixels)
    assert shuffled.geometry == usual.geometry


def test_volume_without_its_localizer_says_what_was_assumed() -> None:
    scan = read_scan(build_volume_opt())

    (note,) = scan.notes
    assert "localizer is not at hand" in note
    assert_geometry_tells_the_places(scan)


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        ({"located": False}, ReasonCode.PATTERN_UNKNOWN),
        (
            {"located": False, "OphthalmicVolumetricPropertiesFlag": "YES"},
            ReasonCode.PATTERN_UNKNOWN,
        ),
        ({"located": False, "pattern": CUBE_PATTERN}, ReasonCode.PATTERN_UNKNOWN),
        ({"axial_mm": 0.05}, ReasonCode.SPACING_IMPLAUSIBLE),
        ({"lateral_mm": 0.05}, ReasonCode.SPACING_IMPLAUSIBLE),
        ({"distance_mm": 0.2}, ReasonCode.SPACING_IMPLAUSIBLE),
        ({"field": Field(width_mm=3.0)}, ReasonCode.SCAN_PATTERN_UNSUPPORTED),
        ({"field": Field(height_mm=3.0)}, ReasonCode.SCAN_PATTERN_UNSUPPORTED),
        ({"field": Field(frames=5)}, ReasonCode.SCAN_PATTERN_UNSUPPORTED),
        ({"moved_mm": {7: 0.09}}, ReasonCode.SCAN_PATTERN_UNSUPPORTED),
        ({"moved_mm": {39: 3.0}}, ReasonCode.SCAN_PATTERN_UNSUPPORTED),
        ({"frame_order": [*range(20), *range(20)]}, ReasonCode.SCAN_PATTERN_UNSUPPORTED),
        ({"frame_order": [0] * 40}, ReasonCode.SCAN_PATTERN_UNSUPPORTED),
        ({"ImageType": ["DERIVED", "PRIMARY"]}, ReasonCode.DERIVED_OR_BURNED_IN),
        ({"NumberOfFrames": 41}, ReasonCode.PIXELS_TRUNCATED),
        ({"ImageLaterality": "L"}, ReasonCode.LATERALITY_CONFLICT),
    ],
)
def test_volume_with_one_fault_is_refused(overrides: dict[str, Any], code: ReasonCode) -> None:
    assert code_of(**overrides) is code


def planes_of(dataset: Dataset) -> list[tuple[Dataset, Dataset]]:
    return [
        (groups.PlanePositionSequence[0], groups.PlaneOrientationSequence[0])
        for groups in dataset.PerFrameFunctionalGroupsSequence
    ]


@pytest.mark.parametrize("turned", ["columns", "frames"])
def test_volume_whose_planes_contradict_its_localizer_is_refused(turned: str) -> None:
    dataset = build_volume_opt(planes=True)
    for position, orientation in planes_of(dataset):
        if turned == "columns":
            orientation.ImageOrientationPatient = [-1, 0, 0, 0, 1, 0]
        else:
            x, y, z = position.ImagePositionPatient
            position.ImagePositionPatient = [x, y, -z]

    with pytest.raises(ScanRefused) as refused:
        read_scan(dataset, build_localizer())

    assert refused.value.reason.code is ReasonCode.PATTERN_CONFLICT


@pytest.mark.parametrize(
    "cosines",
    [[1, 0, 0, 0, 0, -1], [1, 0, 0, 0, -1, 0], [2, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0], [1e9] * 6],
    ids=["down", "out of the eye", "too long", "nothing", "huge"],
)
def test_planes_that_do_not_look_into_the_eye_tell_nothing(cosines: list[float]) -> None:
    alone, beside = (build_volume_opt(planes=True, located=located) for located in (False, True))
    for _, orientation in (*planes_of(alone), *planes_of(beside)):
        orientation.ImageOrientationPatient = cosines

    with pytest.raises(ScanRefused) as refused:
        read_scan(alone)

    assert refused.value.reason.code is ReasonCode.PATTERN_UNKNOWN
    assert_geometry_tells_the_places(read_scan(beside, build_localizer()))


def test_volume_with_a_frame_that_is_nowhere_is_refused() -> None:
    dataset = build_volume_opt()
    del dataset.PerFrameFunctionalGroupsSequence[3].OphthalmicFrameLocationSequence

    with pytest.raises(ScanRefused) as refused:
        read_scan(dataset, build_localizer())

    assert refused.value.reason.code is ReasonCode.PATTERN_UNKNOWN


def test_volume_of_frames_with_different_spacing_is_refused() -> None:
    dataset, measures = build_volume_opt(), Dataset()
    measures.PixelSpacing = [AXIAL_MM, 0.05]
    dataset.PerFrameFunctionalGroupsSequence[3].PixelMeasuresSequence = [measures]

    with pytest.raises(ScanRefused) as refused:
        read_scan(dataset, build_localizer())

    assert refused.value.reason.code is ReasonCode.SCAN_PATTERN_UNSUPPORTED


def test_volume_that_needs_too_much_memory_is_refused() -> None:
    pixels = PixelDescription(
        rows=1024,
        columns=512,
        frames=512,
        bits_allocated=8,
        bits_stored=8,
        signed=False,
        inverted=False,
        transfer_syntax=ExplicitVRLittleEndian,
    )

    with pytest.raises(ScanRefused) as refused:
        read_volume_grid(Dataset(), pixels, 0.012, Localizer(), Laterality.RIGHT)

    assert refused.value.reason.code is ReasonCode.TOO_LARGE


@pytest.mark.parametrize("transfer_syntax", [JPEGLSLossless, RLELossless])
def test_volume_that_is_compressed_is_the_same(transfer_syntax: UID) -> None:
    plugins = {JPEGLSLossless: "pyjpegls", RLELossless: "pydicom"}
    plain, compressed = build_volume_opt(), build_volume_opt()
    compressed.compress(transfer_syntax, encoding_plugin=plugins[transfer_syntax])

    scans = [read_scan(dataset, build_localizer()) for dataset in (plain, compressed)]

    np.testing.assert_array_equal(scans[0].pixels, scans[1].pixels)
