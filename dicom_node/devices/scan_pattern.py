"""Which frames of a tomography object are circles around the disc, and which object is a volume."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.attributes import items_of, numbers_of, text_of
from dicom_node.devices.frame_location import FrameLocation, read_frame_locations
from dicom_node.devices.functional_groups import every_item


class Pattern(StrEnum):
    """How the device moved over the retina, as far as scoring cares."""

    CIRCLE = "a circle"
    LINE = "a straight line"
    VOLUME = "a volume or a set of lines"
    #: Lines and circles in one object: the frames decide.
    MIXED = "circles among other lines"
    OTHER = "another pattern"


#: Scan Pattern Type (CID 4272) by code value of the DCM scheme.
_PATTERN_OF_CODE: Final = {
    "128279": Pattern.VOLUME,  # cube
    "128280": Pattern.VOLUME,  # raster
    "128281": Pattern.LINE,
    "128282": Pattern.OTHER,  # radial
    "128283": Pattern.OTHER,  # cross
    "128284": Pattern.CIRCLE,
    "128285": Pattern.MIXED,  # concentric circles
    "128286": Pattern.MIXED,  # circle and raster
    "128287": Pattern.MIXED,  # circle and radial
    "128288": Pattern.VOLUME,  # grid
}
#: Relative Image Position (CID 4207).
_MACULA_CENTRED: Final = "111900"
#: Fovea centralis in SNOMED CT, and as older devices still write it (SRT).
_MACULA: Final = frozenset({"67046006", "T-AA621"})
_CIRCULAR: Final = (Pattern.CIRCLE, Pattern.MIXED)


@dataclass(frozen=True)
class CircleFrame:
    """A frame that is a circle: its index (0 = the first) and where its A-scans lie."""

    index: int
    location: FrameLocation


def find_circle_frames(dataset: Dataset, frames: int) -> tuple[CircleFrame, ...]:
    """Return the frames of an object that are circles, in frame order; none of a volume.

    Scan Pattern Type decides first, then each frame's location on the localizer, then whether the
    object is a volume. One frame alone proves nothing: it may be a line.

    Raises
    ------
    ScanRefused
        `scan_pattern_unsupported`, `pattern_conflict` or `pattern_unknown`.

    Source: PS3.3 C.8.17.9 (Scan Pattern Type), C.8.17.10 (Ophthalmic Frame Location).
    """
    stated = _stated_pattern(dataset)
    places = read_frame_locations(dataset, frames)
    located = [place for place in places if place is not None]
    _refuse_contradiction(stated, dataset, located)
    circles = tuple(
        CircleFrame(frame, place)
        for frame, place in enumerate(places)
        if place is not None and place.is_circle
    )
    if not circles:
        pattern = _other_pattern(stated, dataset, located)
        if pattern is not Pattern.VOLUME:
            raise _refusal(pattern)
    refuse_macula(dataset)
    return circles


def _stated_pattern(dataset: Dataset) -> Pattern | None:
    """Return what Scan Pattern Type says, None where it is absent or no code of CID 4272."""
    for item in items_of(dataset, "ScanPatternTypeCodeSequence"):
        pattern = _PATTERN_OF_CODE.get(text_of(item, "CodeValue"))
        if pattern is not None:
            return pattern
    return None


def _refuse_contradiction(
    stated: Pattern | None, dataset: Dataset, located: list[FrameLocation]
) -> None:
    any_circle = any(place.is_circle for place in located)
    all_circles = all(place.is_circle for place in located)
    said_circle = stated is Pattern.CIRCLE and not all_circles
    said_mixed = stated is Pattern.MIXED and not any_circle
    said_other = stated not in {None, *_CIRCULAR} and any_circle
    said_volume = stated is None and all_circles and _is_flagged_volume(dataset)
    if located and (said_circle or said_mixed or said_other or said_volume):
        raise ScanRefused(
            ReasonCode.PATTERN_CONFLICT,
            f"The object says that the scan is {stated or Pattern.VOLUME}, the Reference "
            "Coordinates (0022,0032) of its frames say otherwise. Export the scan again; if it "
            "stays so, report it to the maker of the device.",
        )


def _refusal(pattern: Pattern | None) -> ScanRefused:
    if pattern is not None:
        return ScanRefused(
            ReasonCode.SCAN_PATTERN_UNSUPPORTED,
            f"The scan is {pattern}, neither a circle around the optic disc nor a volume over it: "
            "no active model takes it. Send the peripapillary circle scan (RNFL scan) of this eye.",
        )
    return ScanRefused(
        ReasonCode.PATTERN_UNKNOWN,
        "Nothing tells where on the retina each A-scan lies: the frames have no usable Reference "
        "Coordinates (0022,0032), and without them the start and direction of a circle are not "
        "known. Export the scan with its localizer and frame locations.",
    )


def _other_pattern(
    stated: Pattern | None, dataset: Dataset, located: list[FrameLocation]
) -> Pattern | None:
    """Return the pattern of an object without a circle frame, None where nothing tells."""
    if stated is not None:
        return None if stated in _CIRCULAR else stated
    if located:
        straight = all(place.is_straight for place in located)
        if not straight:
            return Pattern.OTHER
        return Pattern.LINE if len(located) == 1 else Pattern.VOLUME
    stepping = {
        numbers_of(item, "ImagePositionPatient")
        for item in every_item(dataset, "PlanePositionSequence")
    } - {()}
    return Pattern.VOLUME if len(stepping) > 1 or _is_flagged_volume(dataset) else None


def refuse_macula(dataset: Dataset) -> None:
    """Refuse a scan of the macula: its nerve fibres are not those that enter the disc.

    Raises
    ------
    ScanRefused
        `scan_pattern_unsupported`.
    """
    centres = _codes(dataset, "RelativeImagePositionCodeSequence")
    if centres == {_MACULA_CENTRED}:
        raise _macula_refusal("Relative Image Position (0022,001D)")
    anatomies = every_item(dataset, "FrameAnatomySequence")
    of_frames = set().union(*(_codes(item, "AnatomicRegionSequence") for item in anatomies))
    of_object = _codes(dataset, "AnatomicRegionSequence")
    if any(regions and regions <= _MACULA for regions in (of_frames, of_object)):
        raise _macula_refusal("Anatomic Region (0008,2218)")


def _codes(dataset: Dataset, keyword: str) -> set[str]:
    return {text_of(item, "CodeValue") for item in items_of(dataset, keyword)} - {""}


def _macula_refusal(attribute: str) -> ScanRefused:
    return ScanRefused(
        ReasonCode.SCAN_PATTERN_UNSUPPORTED,
        f"{attribute} says that the scan is centred on the macula: no active model takes it. Send "
        "the peripapillary circle scan (RNFL scan) of this eye, or a volume over its disc.",
    )


def _is_flagged_volume(dataset: Dataset) -> bool:
    return text_of(dataset, "OphthalmicVolumetricPropertiesFlag").upper() == "YES"
