import numpy as np
import pytest
from pydicom import Dataset

from dicom_node.errors import PixelsUnreadable
from dicom_node.storage.rendering import Viewport, Window, render, representative_frame


def header(**keywords: object) -> Dataset:
    dataset = Dataset()
    values = {"PhotometricInterpretation": "MONOCHROME2", "BitsStored": 8, **keywords}
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def groups(**keywords: object) -> Dataset:
    item, outer = header(), Dataset()
    for keyword, value in keywords.items():
        setattr(item, keyword, value)
    outer.FrameVOILUTSequence = outer.PixelValueTransformationSequence = [item]
    return outer


GREY = np.array([[0, 64, 128, 255]], np.uint8)
WIDE = np.array([[100, 1100, 2100]], np.uint16)


def shown(frame: np.ndarray, dataset: Dataset, window: Window | None = None) -> list[int]:
    return np.asarray(render(frame, dataset, 1, window)).ravel().tolist()


def test_eight_bits_are_shown_as_they_are() -> None:
    assert shown(GREY, header()) == [0, 64, 128, 255]
    assert shown(GREY, header(PhotometricInterpretation="MONOCHROME1")) == [255, 191, 127, 0]


def test_more_bits_are_stretched_over_what_is_there() -> None:
    assert shown(WIDE, header(BitsStored=16)) == [0, 128, 255]
    assert shown(np.full((1, 2), 7, np.uint16), header(BitsStored=16)) == [0, 0]


def test_the_window_of_the_object_counts_and_the_asked_one_before_it() -> None:
    stated = header(BitsStored=16, WindowCenter=600.5, WindowWidth=1001)

    assert shown(WIDE, stated) == [0, 255, 255]
    assert shown(WIDE, stated, Window(1100, 2000, "linear-exact")) == [0, 128, 255]
    assert shown(WIDE, stated, Window(1100, 1, "sigmoid")) == [0, 128, 255]


def test_the_window_of_the_frame_counts_before_that_of_all() -> None:
    own = groups(WindowCenter=600.5, WindowWidth=1001, RescaleSlope=1, RescaleIntercept=0)
    every = groups(WindowCenter=5000, WindowWidth=2, RescaleSlope=1, RescaleIntercept=0)
    dataset = header(
        BitsStored=16,
        PerFrameFunctionalGroupsSequence=[own],
        SharedFunctionalGroupsSequence=[every],
    )

    assert shown(WIDE, dataset) == [0, 255, 255]


def test_scale_comes_before_the_window() -> None:
    stated = header(BitsStored=16, RescaleSlope=2, RescaleIntercept=-200)

    assert shown(WIDE, stated, Window(2000, 4000, "linear-exact")) == [0, 128, 255]


def test_picture_fits_the_viewport_in_its_own_proportions() -> None:
    frame = np.tile(GREY, (2, 1))

    assert render(frame, header(), 1, viewport=Viewport(40, 40)).size == (40, 20)
    region = render(frame, header(), 1, viewport=Viewport(8, 8, (3, 0, 1, 2)))
    assert (region.size, region.getpixel((0, 0))) == ((4, 8), 255)


def test_colours_of_sixteen_bits_become_eight() -> None:
    frame = np.full((2, 2, 3), 0x8000, np.uint16)

    assert render(frame, header(), 1).getpixel((0, 0)) == (128, 128, 128)


def test_what_cannot_be_shown_is_told() -> None:
    with pytest.raises(PixelsUnreadable):
        render(GREY, header(PhotometricInterpretation="PALETTE COLOR"), 1)


@pytest.mark.parametrize(("stated", "expected"), [(None, 3), (2, 2), (9, 3), (0, 3)])
def test_the_middle_frame_stands_for_an_object_that_names_none(
    stated: int | None, expected: int
) -> None:
    dataset = header() if stated is None else header(RepresentativeFrameNumber=stated)

    assert representative_frame(dataset, 5) == expected
