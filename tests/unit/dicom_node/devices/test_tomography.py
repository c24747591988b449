import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import CircleGeometry, ScanKind
from dicom_node.devices.reading import read_scan
from sample_dicom.oct_frames import CIRCLE_RADIAL_PATTERN, CUBE_PATTERN
from tests.builders.mixed import PIXEL_DEGREE, build_mixed_opt
from tests.builders.opt import build_circle_opt, build_localizer


def localizer_of(mm_a_degree: float, laterality: Laterality = Laterality.RIGHT) -> Dataset:
    pixel_mm = mm_a_degree * PIXEL_DEGREE
    return build_localizer(
        laterality=laterality, PixelSpacing=[pixel_mm, pixel_mm], HorizontalFieldOfView=30.0
    )


@pytest.mark.parametrize("laterality", Laterality)
@pytest.mark.parametrize("radials", [24, 0])
@pytest.mark.parametrize("circle_first", [True, False])
def test_usual_circle_is_read_of_lines_and_circles(
    laterality: Laterality, radials: int, circle_first: bool
) -> None:
    dataset = build_mixed_opt(laterality=laterality, radials=radials, circle_first=circle_first)

    scan = read_scan(dataset, localizer_of(0.3, laterality))

    frame = 3 if circle_first else radials + 3
    assert scan.kind is ScanKind.CIRCLE
    assert scan.notes == (f"Frame {frame} of {radials + 3} is the circle that was read.",)
    np.testing.assert_allclose(scan.pixels, 26 / 255, atol=1e-6)
    assert isinstance(scan.geometry, CircleGeometry)
    assert scan.geometry.diameter_mm == pytest.approx(3.6)
    assert scan.lateral_um == pytest.approx(1000 * np.pi * 3.6 / 768, abs=0.001)


@pytest.mark.parametrize("field_degree", [None, 0.0])
def test_circle_of_an_unknown_angle_says_that_it_was_not_checked(
    field_degree: float | None,
) -> None:
    localizer = build_localizer(HorizontalFieldOfView=field_degree)

    scan = read_scan(build_circle_opt(), localizer)

    [note] = scan.notes
    assert note.startswith("Whether the circle is the usual one of 12° was not checked")


def test_circle_without_a_localizer_says_that_its_angle_was_not_checked() -> None:
    notes = read_scan(build_circle_opt()).notes

    assert ["at hand" in note for note in notes] == [True, False]
    assert "12° was not checked" in notes[1]


@pytest.mark.parametrize("pattern", [CIRCLE_RADIAL_PATTERN, None])
def test_usual_circle_is_told_without_the_localizer(pattern: Code | None) -> None:
    scan = read_scan(build_mixed_opt(pattern=pattern))

    assert scan.notes[-1] == "Frame 27 of 27 is the circle that was read."


def test_usual_circle_of_a_short_eye_is_told_by_its_angle() -> None:
    scan = read_scan(build_mixed_opt(mm_a_degree=0.26), localizer_of(0.26))

    assert isinstance(scan.geometry, CircleGeometry)
    assert scan.geometry.diameter_mm == pytest.approx(12 * 0.26)


def test_object_of_circles_that_says_cube_is_refused() -> None:
    with pytest.raises(ScanRefused) as refused:
        read_scan(build_mixed_opt(pattern=CUBE_PATTERN))

    assert refused.value.reason.code is ReasonCode.PATTERN_CONFLICT


@pytest.mark.parametrize("stated", [True, False])
def test_radial_lines_alone_are_refused(stated: bool) -> None:
    dataset = build_mixed_opt(pattern=None)
    del dataset.PerFrameFunctionalGroupsSequence[24:]
    dataset.NumberOfFrames = 24
    if stated:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator = "128282", "DCM"
        dataset.ScanPatternTypeCodeSequence = [code]

    with pytest.raises(ScanRefused) as refused:
        read_scan(dataset)

    assert refused.value.reason.code is ReasonCode.SCAN_PATTERN_UNSUPPORTED
