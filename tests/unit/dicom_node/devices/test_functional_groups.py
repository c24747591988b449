from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_node.devices.functional_groups import every_item, frame_item, frame_items

GROUP = "PixelMeasuresSequence"


def groups(thickness: float | None) -> Dataset:
    found = Dataset()
    if thickness is not None:
        item = Dataset()
        item.SliceThickness = thickness
        found.PixelMeasuresSequence = Sequence([item])
    return found


def frames(shared: float | None, *own: float | None) -> Dataset:
    dataset = Dataset()
    dataset.SharedFunctionalGroupsSequence = Sequence([groups(shared)])
    dataset.PerFrameFunctionalGroupsSequence = Sequence([groups(number) for number in own])
    return dataset


def thicknesses(items: tuple[Dataset | None, ...]) -> list[float | None]:
    return [None if item is None else float(item.SliceThickness) for item in items]


def test_own_item_of_a_frame_comes_before_the_shared_one() -> None:
    dataset = frames(9.0, 1.0, None, 3.0)

    assert thicknesses(frame_items(dataset, 4, GROUP)) == [1.0, 9.0, 3.0, 9.0]
    assert [frame_item(dataset, frame, GROUP) for frame in range(4)] == list(
        frame_items(dataset, 4, GROUP)
    )


def test_frame_without_any_item_has_none() -> None:
    dataset = frames(None, 1.0, None)

    assert thicknesses(frame_items(dataset, 2, GROUP)) == [1.0, None]
    assert frame_items(Dataset(), 2, GROUP) == (None, None)


def test_every_item_is_found_once() -> None:
    assert thicknesses(every_item(frames(9.0, 1.0, None), GROUP)) == [9.0, 1.0]
