from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.scan_pattern import find_circle_frames
from tests.builders.opt import build_circle_opt

LINE = np.array([[384.0, 0.0], [384.0, 768.0]])


def circle(
    points: int = 64, degrees: float = 360.0, radius: float = 150.0, wobble: float = 0.0
) -> NDArray[np.float64]:
    """Points of a circle, of a part of it, or of a flower that is none."""
    angles = np.radians(np.arange(points) * degrees / points)
    radii = radius * (1 + wobble * np.cos(5 * angles))
    return np.column_stack((344 - radii * np.sin(angles), 477 + radii * np.cos(angles)))


def located(points: NDArray[np.float64], orientation: str = "NONLINEAR") -> Dataset:
    place, group = Dataset(), Dataset()
    place.ReferenceCoordinates = [float(number) for number in points.ravel()]
    if orientation:
        place.OphthalmicImageOrientation = orientation
    group.OphthalmicFrameLocationSequence = Sequence([place])
    return group


def scan(*frames: Dataset, pattern: str | None = None, **attributes: Any) -> Dataset:
    dataset = Dataset()
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    if pattern is not None:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator = pattern, "DCM"
        dataset.ScanPatternTypeCodeSequence = Sequence([code])
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def positioned(z_mm: float) -> Dataset:
    position, group = Dataset(), Dataset()
    position.ImagePositionPatient = [0.0, 0.0, z_mm]
    group.PlanePositionSequence = Sequence([position])
    return group


@pytest.mark.parametrize(
    "dataset",
    [
        scan(located(circle())),
        scan(located(circle(), orientation="")),
        scan(located(circle()), pattern="128284"),
        scan(located(circle(8))),
        scan(located(circle()[::-1])),
        scan(located(np.vstack((circle(), circle()[:1])))),
        scan(located(np.round(circle(768)))),
    ],
    ids=["coordinates", "no orientation", "stated", "few", "clockwise", "closed", "whole pixels"],
)
def test_pattern_of_a_closed_round_course_is_a_circle(dataset: Dataset) -> None:
    (found,) = find_circle_frames(dataset, 1)

    fitted = found.location.circle
    assert fitted is not None
    np.testing.assert_allclose(
        (fitted.row, fitted.column, fitted.radius), (344, 477, 150), atol=0.1
    )


def test_pattern_is_decided_for_each_frame() -> None:
    lines = [located(LINE, "LINEAR")] * 3
    dataset = scan(*lines, located(circle()), lines[0], located(circle(radius=180.0)))

    assert [found.index for found in find_circle_frames(dataset, 6)] == [3, 5]


@pytest.mark.parametrize(
    "dataset",
    [
        scan(located(LINE, "LINEAR")),
        scan(located(LINE, "NONLINEAR")),
        scan(located(circle(degrees=180.0))),
        scan(located(circle(wobble=0.2))),
        scan(located(np.vstack((circle(), circle())))),
        scan(located(np.array([[0.0, 0.0], [768.0, 768.0]]), "TRANSVERSE")),
        scan(Dataset(), pattern="128281"),
        scan(Dataset(), pattern="128282"),
    ],
    ids=[
        "line",
        "straight curve",
        "half circle",
        "flower",
        "twice around",
        "en face",
        "stated line",
        "stated radial",
    ],
)
def test_pattern_that_is_known_and_no_circle_is_unsupported(dataset: Dataset) -> None:
    frames = len(dataset.PerFrameFunctionalGroupsSequence)

    with pytest.raises(ScanRefused) as refused:
        find_circle_frames(dataset, frames)

    assert refused.value.reason.code is ReasonCode.SCAN_PATTERN_UNSUPPORTED


@pytest.mark.parametrize(
    "dataset",
    [
        scan(located(LINE, "LINEAR"), located(LINE + 10, "LINEAR")),
        scan(located(LINE, "LINEAR"), pattern="128279"),
        scan(Dataset(), pattern="128280"),
        scan(Dataset(), OphthalmicVolumetricPropertiesFlag="YES"),
        scan(positioned(0.0), positioned(0.1)),
    ],
    ids=["parallel lines", "stated cube", "stated raster", "volumetric", "stepping positions"],
)
def test_pattern_of_a_volume_has_no_circle(dataset: Dataset) -> None:
    frames = len(dataset.PerFrameFunctionalGroupsSequence)

    assert find_circle_frames(dataset, frames) == ()


@pytest.mark.parametrize(
    ("keyword", "code"),
    [("RelativeImagePositionCodeSequence", "111900"), ("FrameAnatomySequence", "67046006")],
)
def test_pattern_of_a_volume_of_the_macula_is_unsupported(keyword: str, code: str) -> None:
    dataset, item = scan(Dataset(), pattern="128279"), Dataset()
    item.CodeValue = code
    if keyword == "FrameAnatomySequence":
        anatomy = Dataset()
        anatomy.AnatomicRegionSequence = Sequence([item])
        dataset.PerFrameFunctionalGroupsSequence[0].FrameAnatomySequence = Sequence([anatomy])
    else:
        setattr(dataset, keyword, Sequence([item]))

    with pytest.raises(ScanRefused) as refused:
        find_circle_frames(dataset, 1)

    assert refused.value.reason.code is ReasonCode.SCAN_PATTERN_UNSUPPORTED


@pytest.mark.parametrize(
    "dataset",
    [
        scan(located(circle()), pattern="128281"),
        scan(located(circle()), pattern="128279"),
        scan(located(LINE, "LINEAR"), pattern="128284"),
        scan(located(circle(degrees=180.0)), pattern="128284"),
        scan(located(LINE, "LINEAR"), pattern="128287"),
        scan(located(circle()), OphthalmicVolumetricPropertiesFlag="YES"),
    ],
    ids=["line", "cube", "circle", "half circle", "circle and radial", "volumetric"],
)
def test_pattern_that_contradicts_the_coordinates_is_a_conflict(dataset: Dataset) -> None:
    with pytest.raises(ScanRefused) as refused:
        find_circle_frames(dataset, 1)

    assert refused.value.reason.code is ReasonCode.PATTERN_CONFLICT


@pytest.mark.parametrize(
    "dataset",
    [
        scan(Dataset()),
        scan(),
        scan(Dataset(), pattern="128284"),
        scan(Dataset(), pattern="999999"),
        scan(located(np.array([[1.0, 2.0]]))),
        scan(positioned(0.0)),
    ],
    ids=["nothing", "no frame", "circle without course", "unknown code", "point", "position"],
)
def test_pattern_is_unknown_where_nothing_tells_the_course(dataset: Dataset) -> None:
    with pytest.raises(ScanRefused) as refused:
        find_circle_frames(dataset, 1)

    assert refused.value.reason.code is ReasonCode.PATTERN_UNKNOWN


@pytest.mark.parametrize(("centre", "is_read"), [("111900", False), ("111901", True)])
def test_circle_around_the_macula_is_refused(centre: str, is_read: bool) -> None:
    position = Dataset()
    position.CodeValue, position.CodingSchemeDesignator = centre, "DCM"
    dataset = build_circle_opt(RelativeImagePositionCodeSequence=[position])

    if is_read:
        assert len(find_circle_frames(dataset, 1)) == 1
        return
    with pytest.raises(ScanRefused) as refused:
        find_circle_frames(dataset, 1)
    assert refused.value.reason.code is ReasonCode.SCAN_PATTERN_UNSUPPORTED
