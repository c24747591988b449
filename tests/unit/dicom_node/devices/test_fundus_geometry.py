import pytest

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from dicom_node.devices.fundus_geometry import (
    NO_ORIENTATION_NOTE,
    NO_SCALE_NOTE,
    read_fundus_geometry,
)
from tests.builders.photograph import build_photograph


@pytest.mark.parametrize(
    ("laterality", "orientation", "temporal_is_right", "superior_is_up"),
    [
        # Seen as usual, the image's right is the patient's left: nasal in a right eye.
        (Laterality.RIGHT, ["L", "F"], False, True),
        (Laterality.LEFT, ["L", "F"], True, True),
        (Laterality.RIGHT, ["R", "F"], True, True),
        (Laterality.LEFT, ["R", "F"], False, True),
        (Laterality.RIGHT, ["R", "H"], True, False),
        (Laterality.LEFT, ["L", "H"], True, False),
    ],
)
def test_temple_lies_where_eye_and_orientation_say(
    laterality: Laterality, orientation: list[str], temporal_is_right: bool, superior_is_up: bool
) -> None:
    photograph = build_photograph(laterality=laterality, PatientOrientation=orientation)

    geometry, notes = read_fundus_geometry(photograph, laterality)

    assert (geometry.temporal_is_right, geometry.superior_is_up, notes) == (
        temporal_is_right,
        superior_is_up,
        (),
    )


@pytest.mark.parametrize("orientation", [None, "", ["", ""]])
@pytest.mark.parametrize("laterality", Laterality)
def test_missing_orientation_is_taken_as_usual_with_a_note(
    orientation: object, laterality: Laterality
) -> None:
    photograph = build_photograph(PatientOrientation=orientation)

    geometry, notes = read_fundus_geometry(photograph, laterality)

    assert geometry.temporal_is_right == (laterality is Laterality.LEFT)
    assert geometry.superior_is_up
    assert notes == (NO_ORIENTATION_NOTE,)


@pytest.mark.parametrize(
    "orientation", [["F", "L"], ["L"], ["A", "F"], ["L", "A"], ["L", "F", "H"]]
)
def test_other_orientation_is_refused(orientation: list[str]) -> None:
    with pytest.raises(ScanRefused) as refusal:
        read_fundus_geometry(build_photograph(PatientOrientation=orientation), Laterality.LEFT)

    assert refusal.value.reason.code is ReasonCode.PATTERN_UNKNOWN
    assert "(0020,0020)" in refusal.value.reason.message


def test_field_of_view_gives_degrees_a_pixel() -> None:
    geometry, _ = read_fundus_geometry(build_photograph(), Laterality.RIGHT)

    assert geometry.pixel_degree == pytest.approx(45 / 96)
    assert geometry.pixel_mm is None


@pytest.mark.parametrize("field", [None, 0.0, 3.0, 400.0])
def test_impossible_field_of_view_counts_as_absent(field: float | None) -> None:
    geometry, _ = read_fundus_geometry(
        build_photograph(HorizontalFieldOfView=field), Laterality.RIGHT
    )

    assert geometry.pixel_degree is None


def test_pixel_spacing_of_a_retina_is_the_scale() -> None:
    geometry, notes = read_fundus_geometry(
        build_photograph(PixelSpacing=["0.13", "0.13"]), Laterality.RIGHT
    )

    assert (geometry.pixel_mm, notes) == (pytest.approx(0.13), ())


@pytest.mark.parametrize("spacing", [["1", "1"], ["0.0001", "0.0001"]])
def test_spacing_of_no_retina_is_left_aside_with_a_note(spacing: list[str]) -> None:
    """Converters write a placeholder of 1 mm; the picture itself is not worse for it."""
    geometry, notes = read_fundus_geometry(build_photograph(PixelSpacing=spacing), Laterality.RIGHT)

    assert (geometry.pixel_mm, notes) == (None, (NO_SCALE_NOTE,))


def test_pixels_that_are_not_square_are_refused() -> None:
    with pytest.raises(ScanRefused) as refusal:
        read_fundus_geometry(build_photograph(PixelSpacing=["0.1", "0.12"]), Laterality.RIGHT)

    assert refusal.value.reason.code is ReasonCode.SPACING_IMPLAUSIBLE
