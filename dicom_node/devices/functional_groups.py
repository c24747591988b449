"""What a multi-frame object says of one frame: its own functional group before the shared one."""

from pydicom.dataset import Dataset

from dicom_node.devices.attributes import items_of


def frame_item(dataset: Dataset, frame: int, group_keyword: str) -> Dataset | None:
    """Return the item of a functional group that holds for a frame (0 = the first), or None."""
    per_frame = items_of(dataset, "PerFrameFunctionalGroupsSequence")
    shared = items_of(dataset, "SharedFunctionalGroupsSequence")
    for groups in (*per_frame[frame : frame + 1], *shared[:1]):
        items = items_of(groups, group_keyword)
        if items:
            return items[0]
    return None


def frame_items(dataset: Dataset, frames: int, group_keyword: str) -> tuple[Dataset | None, ...]:
    """Return `frame_item` of each of the first `frames` frames; for many at once it is quicker."""
    per_frame = items_of(dataset, "PerFrameFunctionalGroupsSequence")[:frames]
    found = (items_of(groups, group_keyword) for groups in per_frame)
    own = [items[0] if items else None for items in found]
    own += [None] * (frames - len(own))
    shared_groups = items_of(dataset, "SharedFunctionalGroupsSequence")[:1]
    shared = [item for groups in shared_groups for item in items_of(groups, group_keyword)]
    default = shared[0] if shared else None
    return tuple(default if item is None else item for item in own)


def every_item(dataset: Dataset, group_keyword: str) -> tuple[Dataset, ...]:
    """Return every item of a functional group, of the shared group and of all frames."""
    groups = (
        *items_of(dataset, "SharedFunctionalGroupsSequence"),
        *items_of(dataset, "PerFrameFunctionalGroupsSequence"),
    )
    return tuple(item for group in groups for item in items_of(group, group_keyword))
