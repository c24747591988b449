"""Which eye an object shows, or why that is not certain.

The eye comes from the attributes made for it and from nowhere else: no description, file name or
patient orientation decides it.
"""

from typing import Final

from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from dicom_node.devices.attributes import clean_text, values_of
from dicom_node.devices.functional_groups import every_item

_EYES: Final = {"R": "R", "L": "L", "B": "B", "OD": "R", "OS": "L", "OU": "B"}
#: How a set of eyes says both.
BOTH: Final = "B"
#: A word that is no laterality: beside a known one it is a contradiction, alone it says nothing.
_UNKNOWN: Final = "unknown"


def read_laterality(dataset: Dataset, localizer: Dataset | None = None) -> Laterality:
    """Return the one eye that every laterality attribute names.

    Parameters
    ----------
    localizer
        The picture the scan was planned on; one of the other eye is a conflict.

    Raises
    ------
    ScanRefused
        `laterality_missing`, `laterality_conflict` or `laterality_both`.

    Source: PS3.3 C.8.17.5 (Image Laterality), C.7.6.16.2.8 (Frame Anatomy).
    """
    object_eyes = eyes_of(dataset, "ImageLaterality") | eyes_of(dataset, "Laterality")
    frame_eyes = _frame_eyes(dataset)
    eyes = frame_eyes if object_eyes == {BOTH} and frame_eyes else object_eyes | frame_eyes
    if object_eyes == {BOTH} and len(eyes - {_UNKNOWN}) > 1:
        eyes = frozenset({BOTH})
    return _decided(eyes, _localizer_eyes(localizer))


def eyes_of(dataset: Dataset, keyword: str) -> frozenset[str]:
    """Return what an attribute says as a set of R, L, B and, for any other word, `unknown`."""
    words = (
        word.strip().upper()
        for value in values_of(dataset, keyword)
        for word in clean_text(value).split(",")
    )
    return frozenset(_EYES.get(word, _UNKNOWN) for word in words if word)


def _decided(eyes: frozenset[str], localizer_eyes: frozenset[str]) -> Laterality:
    if not eyes - {_UNKNOWN}:
        raise ScanRefused(
            ReasonCode.LATERALITY_MISSING,
            "No attribute names the eye: Image Laterality (0020,0062), Laterality (0020,0060) and "
            "Frame Laterality (0020,9072) are absent, empty or unknown. Set the eye on the device "
            "and export the scan again.",
        )
    if eyes == {BOTH}:
        raise ScanRefused(
            ReasonCode.LATERALITY_BOTH,
            "The object holds both eyes, or says B and no Frame Laterality (0020,9072) names one. "
            "Export each eye as its own object.",
        )
    if len(eyes | localizer_eyes) > 1:
        raise ScanRefused(
            ReasonCode.LATERALITY_CONFLICT,
            "The laterality attributes of the scan and its localizer disagree: "
            f"{', '.join(sorted(eyes | localizer_eyes))}. Correct the eye on the device and export "
            "the scan again.",
        )
    return Laterality(next(iter(eyes)))


def _frame_eyes(dataset: Dataset) -> frozenset[str]:
    items = every_item(dataset, "FrameAnatomySequence")
    return frozenset().union(*(eyes_of(item, "FrameLaterality") for item in items))


def _localizer_eyes(localizer: Dataset | None) -> frozenset[str]:
    """Return the eyes a localizer names; one that names none or both contradicts nothing."""
    if localizer is None:
        return frozenset()
    eyes = eyes_of(localizer, "ImageLaterality") | eyes_of(localizer, "Laterality")
    return (eyes | _frame_eyes(localizer)) - {BOTH, _UNKNOWN}
