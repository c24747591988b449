import pytest
from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.localizer import Localizer, read_localizer, read_orientation


def localizer_object(orientation: list[str] | None, spacing: list[float] | None) -> Dataset:
    dataset = Dataset()
    dataset.Columns = 768
    dataset.HorizontalFieldOfView = 30.0
    if orientation is not None:
        dataset.PatientOrientation = orientation
    if spacing is not None:
        dataset.PixelSpacing = spacing
    return dataset


@pytest.mark.parametrize(
    ("orientation", "left_is_right", "feet_are_down"),
    [(["L", "F"], True, True), (["R", "F"], False, True), (["L", "H"], True, False)],
)
def test_localizer_orientation_is_read(
    orientation: list[str], left_is_right: bool, feet_are_down: bool
) -> None:
    read = read_localizer(localizer_object(orientation, [0.0117, 0.0117]))

    assert read == Localizer(0.0117, left_is_right, feet_are_down, (), 30 / 768)


@pytest.mark.parametrize("orientation", [["P", "F"], ["F", "L"], ["L"], ["A", "H"]])
def test_localizer_turned_otherwise_is_refused(orientation: list[str]) -> None:
    with pytest.raises(ScanRefused) as refused:
        read_localizer(localizer_object(orientation, [0.0117, 0.0117]))

    assert refused.value.reason.code is ReasonCode.PATTERN_UNKNOWN


def test_localizer_with_oblong_pixels_is_refused() -> None:
    with pytest.raises(ScanRefused) as refused:
        read_localizer(localizer_object(["L", "F"], [0.0117, 0.0125]))

    assert refused.value.reason.code is ReasonCode.SPACING_IMPLAUSIBLE


@pytest.mark.parametrize(
    ("orientation", "spacing", "notes"),
    [
        (["L", "F"], [0.0117, 0.0117], 0),
        (None, [0.0117, 0.0117], 1),
        (["L", "F"], None, 1),
        (["L", "F"], [0.02, 0.02], 1),
    ],
    ids=["whole", "no orientation", "no spacing", "scaled"],
)
def test_localizer_says_what_was_assumed(
    orientation: list[str] | None, spacing: list[float] | None, notes: int
) -> None:
    assert len(read_localizer(localizer_object(orientation, spacing)).notes) == notes


def test_localizer_knows_its_degrees_where_it_states_its_field() -> None:
    dataset = Dataset()
    dataset.PatientOrientation = ["L", "F"]
    dataset.HorizontalFieldOfView = 30.0
    dataset.Columns = 768

    assert read_localizer(dataset).pixel_degree == pytest.approx(30 / 768)
    dataset.HorizontalFieldOfView = 0.0
    assert read_localizer(dataset).pixel_degree is None


@pytest.mark.parametrize("orientation", [None, ["", ""]])
def test_orientation_of_a_picture_that_does_not_say_is_unknown(
    orientation: list[str] | None,
) -> None:
    assert read_orientation(localizer_object(orientation, None)) is None
