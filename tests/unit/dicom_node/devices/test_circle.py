import math

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from dicom_node.devices.circle import read_circle
from dicom_node.devices.frame_location import FrameLocation
from dicom_node.devices.localizer import Localizer, read_localizer

RADIUS_PIXELS = 150.0
PIXEL_MM = 0.012
DIAMETER_MM = 2 * RADIUS_PIXELS * PIXEL_MM
COLUMNS = 360
LATERAL_MM = math.pi * DIAMETER_MM / COLUMNS
USUAL = Localizer(pixel_mm=PIXEL_MM, notes=())


def course(picture_degrees: NDArray[np.float64]) -> FrameLocation:
    """Points at angles of the picture: 0 right, 90 up."""
    angles = np.radians(picture_degrees)
    rows = 344 - RADIUS_PIXELS * np.sin(angles)
    columns = 477 + RADIUS_PIXELS * np.cos(angles)
    return FrameLocation(np.column_stack((rows, columns)), "NONLINEAR")


def angles_of(
    location: FrameLocation,
    laterality: Laterality = Laterality.RIGHT,
    localizer: Localizer = USUAL,
) -> NDArray[np.float64]:
    return read_circle(location, localizer, laterality, COLUMNS, LATERAL_MM).angles_degree


def assert_same_angles(found: NDArray[np.float64], expected: NDArray[np.float64]) -> None:
    apart = (found - expected + 180) % 360 - 180
    np.testing.assert_allclose(apart, 0, atol=1e-6)


@pytest.mark.parametrize(
    ("laterality", "picture_degree", "tsnit_degree"),
    [
        (Laterality.RIGHT, 180, 0),  # left in the picture is the temple of a right eye
        (Laterality.RIGHT, 90, 90),
        (Laterality.RIGHT, 0, 180),
        (Laterality.RIGHT, 270, 270),
        (Laterality.LEFT, 0, 0),
        (Laterality.LEFT, 90, 90),
        (Laterality.LEFT, 180, 180),
        (Laterality.LEFT, 270, 270),
    ],
)
def test_circle_puts_each_side_of_the_eye_at_its_tsnit_angle(
    laterality: Laterality, picture_degree: float, tsnit_degree: float
) -> None:
    location = course(picture_degree + np.arange(COLUMNS))

    assert_same_angles(angles_of(location, laterality)[:1], np.array([tsnit_degree]))


@pytest.mark.parametrize("start_degree", [0, 17, 180, 300])
@pytest.mark.parametrize("direction", [1, -1])
def test_circle_reads_start_and_direction_from_the_points(
    start_degree: int, direction: int
) -> None:
    steps = direction * np.arange(COLUMNS)

    found = angles_of(course(180.0 - start_degree - steps))

    assert_same_angles(found, start_degree + steps)


@pytest.mark.parametrize(
    ("localizer", "tsnit_degree"),
    [
        (Localizer(PIXEL_MM, left_is_right=False, notes=()), 150.0),
        (Localizer(PIXEL_MM, feet_are_down=False, notes=()), 330.0),
        (Localizer(PIXEL_MM, left_is_right=False, feet_are_down=False, notes=()), 210.0),
    ],
)
def test_circle_follows_the_orientation_of_the_localizer(
    localizer: Localizer, tsnit_degree: float
) -> None:
    location = course(150.0 + np.arange(COLUMNS))  # usual orientation: TSNIT 30

    assert_same_angles(angles_of(location, localizer=localizer)[:1], np.array([tsnit_degree]))


@pytest.mark.parametrize("points", [8, 90, 720])
@pytest.mark.parametrize("closed", [False, True])
def test_circle_interpolates_where_points_and_columns_differ(points: int, closed: bool) -> None:
    picture = 180.0 - np.arange(points + closed) * 360 / points

    assert_same_angles(angles_of(course(picture)), np.arange(COLUMNS, dtype=np.float64))


def test_circle_takes_the_diameter_from_the_localizer() -> None:
    slightly_off = LATERAL_MM * 1.01

    geometry = read_circle(course(np.arange(360.0)), USUAL, Laterality.RIGHT, COLUMNS, slightly_off)

    assert geometry.diameter_mm == pytest.approx(DIAMETER_MM, abs=1e-9)


def test_circle_takes_the_diameter_from_the_columns_without_localizer() -> None:
    geometry = read_circle(
        course(np.arange(360.0)), read_localizer(None), Laterality.RIGHT, COLUMNS, LATERAL_MM
    )

    assert geometry.diameter_mm == pytest.approx(DIAMETER_MM, abs=1e-9)


def test_circle_refuses_columns_that_do_not_go_round() -> None:
    with pytest.raises(ScanRefused) as refused:
        read_circle(course(np.arange(360.0)), USUAL, Laterality.RIGHT, COLUMNS, LATERAL_MM * 1.03)

    assert refused.value.reason.code is ReasonCode.SPACING_IMPLAUSIBLE


@pytest.mark.parametrize("across_degree", [9.0, 14.0, 16.0])
def test_circle_of_another_angle_is_refused(across_degree: float) -> None:
    """The wider rings of a set are as long in millimetre as the usual one of a long eye."""
    localizer = Localizer(PIXEL_MM, notes=(), pixel_degree=across_degree / (2 * RADIUS_PIXELS))

    with pytest.raises(ScanRefused) as refused:
        angles_of(course(np.arange(COLUMNS)), localizer=localizer)

    assert refused.value.reason.code is ReasonCode.OUTSIDE_INTENDED_USE


@pytest.mark.parametrize("across_degree", [11.0, 12.0, 13.0])
def test_circle_of_the_usual_angle_is_read(across_degree: float) -> None:
    localizer = Localizer(PIXEL_MM, notes=(), pixel_degree=across_degree / (2 * RADIUS_PIXELS))

    assert len(angles_of(course(np.arange(COLUMNS)), localizer=localizer)) == COLUMNS
