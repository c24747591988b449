import math

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.spacing import Spacing, check_circle, localizer_note, read_spacing


def with_spacing(shared: object = None, frame: object = None) -> Dataset:
    dataset = Dataset()
    for keyword, spacing in (
        ("SharedFunctionalGroupsSequence", shared),
        ("PerFrameFunctionalGroupsSequence", frame),
    ):
        group = Dataset()
        if spacing is not None:
            measures = Dataset()
            measures.PixelSpacing = spacing
            group.PixelMeasuresSequence = Sequence([measures])
        setattr(dataset, keyword, Sequence([group]))
    return dataset


@pytest.mark.parametrize(
    ("rows", "axial_mm", "lateral_mm"),
    [
        (496, 0.003872, 0.014722),
        (1024, 0.001953, 0.030),
        (885, 0.0026, 0.0118),
        (800, 0.0015, 0.004),
    ],
)
def test_spacing_of_an_eye_is_accepted(rows: int, axial_mm: float, lateral_mm: float) -> None:
    dataset = with_spacing(shared=[axial_mm, lateral_mm])

    assert read_spacing(dataset, 0, rows) == Spacing(axial_mm, lateral_mm)


def test_spacing_of_the_frame_overrides_the_shared_one() -> None:
    dataset = with_spacing(shared=[0.0039, 0.011], frame=[0.0025, 0.012])

    assert read_spacing(dataset, 0, 496) == Spacing(0.0025, 0.012)


@pytest.mark.parametrize("spacing", [None, [0.0039], [0.0, 0.011], [-0.0039, 0.011], [0.004] * 3])
def test_spacing_missing_is_refused(spacing: object) -> None:
    with pytest.raises(ScanRefused) as refused:
        read_spacing(with_spacing(shared=spacing), 0, 496)

    assert refused.value.reason.code is ReasonCode.SPACING_MISSING


@pytest.mark.parametrize(
    ("rows", "spacing"),
    [
        (496, [0.0014, 0.012]),  # axial too small
        (496, [0.0061, 0.012]),  # axial too large
        (300, [0.0039, 0.012]),  # 1.17 mm deep
        (1100, [0.0039, 0.012]),  # 4.29 mm deep
        (496, [0.0039, 0.0039]),  # axial not below lateral
        (496, [0.012, 0.0039]),  # swapped
        (496, [3.9, 12.0]),  # micrometre
        (496, [0.0039, 0.061]),  # lateral too large
        (1024, [0.0015, 0.0039]),  # lateral too small
    ],
)
def test_spacing_of_no_eye_is_refused(rows: int, spacing: list[float]) -> None:
    with pytest.raises(ScanRefused) as refused:
        read_spacing(with_spacing(shared=spacing), 0, rows)

    assert refused.value.reason.code is ReasonCode.SPACING_IMPLAUSIBLE


@pytest.mark.parametrize("diameter_mm", [2.6, 3.6, 4.37, 4.8])
def test_spacing_accepts_a_circle_its_columns_go_round(diameter_mm: float) -> None:
    check_circle(diameter_mm, 768, math.pi * diameter_mm / 768 * 1.019)


@pytest.mark.parametrize(
    ("diameter_mm", "share"), [(2.55, 1.0), (4.85, 1.0), (3.6, 1.03), (3.6, 0.97), (3.6, 0.5)]
)
def test_spacing_refuses_a_circle_of_no_eye(diameter_mm: float, share: float) -> None:
    with pytest.raises(ScanRefused) as refused:
        check_circle(diameter_mm, 768, math.pi * diameter_mm / 768 * share)

    assert refused.value.reason.code is ReasonCode.SPACING_IMPLAUSIBLE


@pytest.mark.parametrize(
    ("width_mm", "warned"), [(8.79, False), (9.1, False), (7.0, True), (13.0, True)]
)
def test_spacing_warns_of_a_scaled_localizer(width_mm: float, warned: bool) -> None:
    assert (localizer_note(width_mm, 30.0) is not None) == warned
