"""The thickness that each stored value of a thickness map stands for."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.attributes import items_of, numbers_of, text_of

_MICROMETRE: Final = "um"
#: No retina is thicker; a map whose every value is outside has another unit.
_THICKEST_UM: Final = 500.0
_RANGES: Final = (
    ("RealWorldValueFirstValueMapped", "RealWorldValueLastValueMapped"),
    ("DoubleFloatRealWorldValueFirstValueMapped", "DoubleFloatRealWorldValueLastValueMapped"),
)


def thickness_um(dataset: Dataset, stored: NDArray[np.integer]) -> NDArray[np.float32]:
    """Return the thickness in micrometre of stored values, NaN where there is none.

    float32 of the same shape. There is none outside the range of values that are mapped, where the
    value stands for a coded concept, where it is padding, and where it is no thickness of a retina.

    Raises
    ------
    ScanRefused
        `pixels_unreadable` if nothing maps the values to micrometres, or none of them to a
        thickness a retina can have.

    Source: PS3.3 C.8.28.2 (Ophthalmic Thickness Map), C.7.6.16.2.11 (Real World Value Mapping).
    """
    thickness = np.full(stored.shape, np.nan)
    mappings = [
        item
        for item in items_of(dataset, "RealWorldValueMappingSequence")
        if _MICROMETRE in _codes(item, "MeasurementUnitsCodeSequence")
    ]
    for mapping in mappings:
        _map(mapping, stored, thickness)
    thickness[np.isin(stored, _values_without_thickness(dataset))] = np.nan
    with np.errstate(invalid="ignore"):
        thickness[(thickness < 0) | (thickness > _THICKEST_UM)] = np.nan
    if np.isnan(thickness).all():
        raise ScanRefused(
            ReasonCode.PIXELS_UNREADABLE,
            "Real World Value Mapping (0040,9096) gives no pixel a thickness between 0 and "
            f"{_THICKEST_UM:.0f} micrometre (um). Export the map with its mapping in micrometre.",
        )
    return thickness.astype(np.float32)


def _map(mapping: Dataset, stored: NDArray[np.integer], thickness: NDArray[np.float64]) -> None:
    """Put in the thickness of the stored values one item maps."""
    limits = _limits(mapping)
    if limits is None:
        return
    inside = (stored >= limits[0]) & (stored <= limits[1])
    table = numbers_of(mapping, "RealWorldValueLUTData")
    slope = numbers_of(mapping, "RealWorldValueSlope")
    intercept = numbers_of(mapping, "RealWorldValueIntercept")
    if table:
        places = stored.astype(np.float64) - np.ceil(limits[0])
        inside &= (places >= 0) & (places < len(table))
        thickness[inside] = np.array(table)[places[inside].astype(np.int64)]
    elif len(slope) == len(intercept) == 1 and max(abs(slope[0]), abs(intercept[0])) < 1e9:
        thickness[inside] = stored[inside] * slope[0] + intercept[0]


def _limits(mapping: Dataset) -> tuple[float, float] | None:
    """Return the first and last stored value that is mapped, None where it is not stated."""
    for first_keyword, last_keyword in _RANGES:
        first, last = numbers_of(mapping, first_keyword), numbers_of(mapping, last_keyword)
        if len(first) == len(last) == 1:
            return first[0], last[0]
    return None


def _values_without_thickness(dataset: Dataset) -> list[float]:
    """Return the stored values that stand for a concept, such as no value, or pad the picture."""
    concepts = items_of(dataset, "PixelValueMappingToCodedConceptSequence")
    coded = [number for item in concepts for number in numbers_of(item, "MappedPixelValue")]
    return [*coded, *numbers_of(dataset, "PixelPaddingValue")]


def _codes(item: Dataset, keyword: str) -> set[str]:
    return {text_of(code, "CodeValue") for code in items_of(item, keyword)}
