import pytest
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from dicom_node.devices.laterality import read_laterality


def put(dataset: Dataset, keyword: str, value: str) -> None:
    """Set an attribute to what a device may send, allowed or not."""
    dataset.add(DataElement(Tag(keyword), "CS", value, validation_mode=config.IGNORE))


def with_eyes(
    image: str | None = None, series: str | None = None, frames: tuple[str, ...] = ()
) -> Dataset:
    dataset = Dataset()
    if image is not None:
        put(dataset, "ImageLaterality", image)
    if series is not None:
        put(dataset, "Laterality", series)
    groups = []
    for eye in frames:
        anatomy, group = Dataset(), Dataset()
        put(anatomy, "FrameLaterality", eye)
        group.FrameAnatomySequence = Sequence([anatomy])
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    return dataset


@pytest.mark.parametrize(
    ("image", "series", "frames", "eye"),
    [
        ("R", None, (), "R"),
        ("L", None, (), "L"),
        (None, "L", (), "L"),
        (None, None, ("R",), "R"),
        ("R", "R", ("R", "R"), "R"),
        ("R", "", (), "R"),
        (" r ", None, (), "R"),
        ("OD", None, ("R",), "R"),
        ("OS", "L", (), "L"),
        ("OD\0rest of memory", None, (), "R"),
        ("OS,OS,L", None, (), "L"),
        ("B", None, ("L",), "L"),
        ("OU", None, ("R", "R"), "R"),
    ],
)
def test_laterality_is_the_eye_every_attribute_names(
    image: str | None, series: str | None, frames: tuple[str, ...], eye: str
) -> None:
    assert read_laterality(with_eyes(image, series, frames)) is Laterality(eye)


@pytest.mark.parametrize(
    ("image", "series", "frames", "code"),
    [
        (None, None, (), ReasonCode.LATERALITY_MISSING),
        ("", "", ("",), ReasonCode.LATERALITY_MISSING),
        ("\0R", None, (), ReasonCode.LATERALITY_MISSING),
        ("LEFT", None, (), ReasonCode.LATERALITY_MISSING),
        ("R", "L", (), ReasonCode.LATERALITY_CONFLICT),
        ("R", None, ("L",), ReasonCode.LATERALITY_CONFLICT),
        ("R", None, ("R", "L"), ReasonCode.LATERALITY_CONFLICT),
        ("OD,OS", None, (), ReasonCode.LATERALITY_CONFLICT),
        ("R", "B", (), ReasonCode.LATERALITY_CONFLICT),
        ("R", "LEFT", (), ReasonCode.LATERALITY_CONFLICT),
        ("B", None, (), ReasonCode.LATERALITY_BOTH),
        ("OU", "B", ("B",), ReasonCode.LATERALITY_BOTH),
        ("B", None, ("R", "L"), ReasonCode.LATERALITY_BOTH),
    ],
)
def test_laterality_is_refused_where_it_is_not_certain(
    image: str | None, series: str | None, frames: tuple[str, ...], code: ReasonCode
) -> None:
    with pytest.raises(ScanRefused) as refused:
        read_laterality(with_eyes(image, series, frames))

    assert refused.value.reason.code is code


def test_laterality_is_not_inferred_from_descriptions() -> None:
    dataset = with_eyes()
    dataset.SeriesDescription = "OD right eye R"
    dataset.PatientOrientation = ["L", "F"]

    with pytest.raises(ScanRefused) as refused:
        read_laterality(dataset)

    assert refused.value.reason.code is ReasonCode.LATERALITY_MISSING


@pytest.mark.parametrize("localizer", [with_eyes("L"), with_eyes(None, "OS"), with_eyes("R", "L")])
def test_laterality_conflicts_with_a_localizer_of_the_other_eye(localizer: Dataset) -> None:
    with pytest.raises(ScanRefused) as refused:
        read_laterality(with_eyes("R"), localizer)

    assert refused.value.reason.code is ReasonCode.LATERALITY_CONFLICT


@pytest.mark.parametrize("localizer", [with_eyes("R"), with_eyes(), with_eyes("B")])
def test_laterality_agrees_with_a_localizer_that_names_no_other_eye(localizer: Dataset) -> None:
    assert read_laterality(with_eyes("R"), localizer) is Laterality.RIGHT


def test_laterality_of_a_localizer_does_not_replace_that_of_the_scan() -> None:
    with pytest.raises(ScanRefused) as refused:
        read_laterality(with_eyes(), with_eyes("R"))

    assert refused.value.reason.code is ReasonCode.LATERALITY_MISSING
