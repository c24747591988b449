from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.thickness_values import thickness_um

STORED = np.array([[0, 1, 2], [10, 200, 255]], np.uint8)


def mapping(unit: str = "um", first: int = 0, last: int = 255, **attributes: Any) -> Dataset:
    item, code = Dataset(), Dataset()
    code.CodeValue = unit
    item.MeasurementUnitsCodeSequence = Sequence([code])
    item.add_new("RealWorldValueFirstValueMapped", "US", first)
    item.add_new("RealWorldValueLastValueMapped", "US", last)
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def linear(slope: float, intercept: float = 0.0, **limits: Any) -> Dataset:
    return mapping(RealWorldValueSlope=slope, RealWorldValueIntercept=intercept, **limits)


def mapped(*mappings: Dataset, no_value: int | None = None, **attributes: Any) -> Dataset:
    dataset = Dataset()
    dataset.RealWorldValueMappingSequence = Sequence(mappings)
    if no_value is not None:
        item = Dataset()
        item.add_new("MappedPixelValue", "US", no_value)
        dataset.PixelValueMappingToCodedConceptSequence = Sequence([item])
    for keyword, value in attributes.items():
        dataset.add_new(keyword, "US", value)
    return dataset


NAN = np.nan


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        (mapped(linear(1.0)), [[0, 1, 2], [10, 200, 255]]),
        (mapped(linear(0.5, 10.0)), [[10, 10.5, 11], [15, 110, 137.5]]),
        (mapped(linear(1.0, first=1, last=200)), [[NAN, 1, 2], [10, 200, NAN]]),
        (mapped(linear(1.0), no_value=200), [[0, 1, 2], [10, NAN, 255]]),
        (mapped(linear(1.0), PixelPaddingValue=0), [[NAN, 1, 2], [10, 200, 255]]),
        (mapped(linear(10.0)), [[0, 10, 20], [100, NAN, NAN]]),
        (mapped(linear(1.0, -1.5)), [[NAN, NAN, 0.5], [8.5, 198.5, 253.5]]),
        (
            mapped(linear(1.0, last=9), linear(2.0, first=10)),
            [[0, 1, 2], [20, 400, NAN]],
        ),
        (
            mapped(mapping(first=1, last=3, RealWorldValueLUTData=[30.0, 40.0, 50.0])),
            [[NAN, 30, 40], [NAN, NAN, NAN]],
        ),
        (mapped(mapping("mm"), linear(1.0)), [[0, 1, 2], [10, 200, 255]]),
    ],
    ids=[
        "as stored",
        "slope and intercept",
        "range",
        "no value",
        "padding",
        "too thick",
        "negative",
        "two ranges",
        "table",
        "another unit beside",
    ],
)
def test_values_are_mapped_to_micrometre(dataset: Dataset, expected: list[list[float]]) -> None:
    found: NDArray[np.float32] = thickness_um(dataset, STORED)

    np.testing.assert_allclose(found, np.array(expected))


@pytest.mark.parametrize(
    "dataset",
    [
        Dataset(),
        mapped(),
        mapped(mapping()),
        mapped(mapping("mm", RealWorldValueSlope=0.001, RealWorldValueIntercept=0.0)),
        mapped(linear(1.0, 600.0)),
        mapped(linear(1e300)),
        mapped(linear(1.0, first=256, last=300)),
    ],
    ids=["nothing", "empty", "no slope", "mm", "too thick", "huge", "outside"],
)
def test_values_without_a_thickness_are_refused(dataset: Dataset) -> None:
    with pytest.raises(ScanRefused) as refused:
        thickness_um(dataset, STORED[STORED > 0].reshape(1, -1))

    assert refused.value.reason.code is ReasonCode.PIXELS_UNREADABLE
