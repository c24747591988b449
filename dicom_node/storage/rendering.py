"""A frame as people see it: 8 bits of grey, or colours, in the size that is asked for."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut

from dicom_node.devices.attributes import (
    READING_ERRORS,
    silenced_reader,
    text_of,
    values_of,
    whole_number_of,
)
from dicom_node.errors import PixelsUnreadable

_WHITE: Final = 255
_LARGEST_BYTE: Final = 0xFF


@dataclass(frozen=True)
class Window:
    """Which values become visible (PS3.3 C.11.2.1.2), after the modality's own scale."""

    centre: float
    width: float
    function: str = "linear"


@dataclass(frozen=True)
class Viewport:
    """The size of the picture, and what of the frame it shows; everything where `region` is None.

    Attributes
    ----------
    region
        Left, top, width and height in pixels of the frame.
    """

    width: int
    height: int
    region: tuple[int, int, int, int] | None = None


def render(
    frame: NDArray[Any],
    header: Dataset,
    number: int,
    window: Window | None = None,
    viewport: Viewport | None = None,
) -> Image.Image:
    """Return a decoded frame (1 = the first of its object) as a picture.

    Raises
    ------
    PixelsUnreadable
        If its attributes do not say how it is to be seen.
    """
    try:
        with silenced_reader():
            visible = _visible(frame, header, number, window)
            return _fitted(Image.fromarray(visible), viewport)
    except READING_ERRORS as error:
        raise PixelsUnreadable(
            f"The frame cannot be made a picture ({type(error).__name__})"
        ) from error


def representative_frame(header: Dataset, frames: int) -> int:
    """Return the frame (1 = the first) that stands for an object: the stated one, or the middle."""
    stated = whole_number_of(header, "RepresentativeFrameNumber") or 0
    return stated if 1 <= stated <= frames else (frames + 1) // 2


def _visible(
    frame: NDArray[Any], header: Dataset, number: int, window: Window | None
) -> NDArray[np.uint8]:
    if text_of(header, "PhotometricInterpretation").upper() == "PALETTE COLOR":
        frame = apply_color_lut(frame, header)
    if frame.ndim == 3:
        return _eight_bits(frame)
    grey = _windowed(_scaled(frame, header, number), header, number, window)
    if text_of(header, "PhotometricInterpretation").upper() == "MONOCHROME1":
        grey = _WHITE - grey
    return np.rint(grey).astype(np.uint8)


def _eight_bits(colours: NDArray[Any]) -> NDArray[np.uint8]:
    if colours.dtype == np.uint8:
        return colours
    return (colours >> (colours.dtype.itemsize * 8 - 8)).astype(np.uint8)


def _scaled(frame: NDArray[Any], header: Dataset, number: int) -> NDArray[np.float32]:
    slope = _number(header, number, "PixelValueTransformationSequence", "RescaleSlope")
    intercept = _number(header, number, "PixelValueTransformationSequence", "RescaleIntercept")
    grey: NDArray[np.float32] = frame.astype(np.float32)
    if slope is not None and slope != 0:
        grey = grey * np.float32(slope)
    return grey + np.float32(intercept or 0)


def _windowed(
    grey: NDArray[np.float32], header: Dataset, number: int, asked: Window | None
) -> NDArray[np.float32]:
    window = asked or _own_window(header, number)
    if window is None:
        low, high = _range(grey, header)
        scaled = (grey - low) / ((high - low) or 1.0)
    elif window.function == "sigmoid":
        scaled = 1 / (1 + np.exp(-4 * (grey - window.centre) / window.width))
    elif window.function == "linear-exact":
        scaled = (grey - window.centre) / window.width + 0.5
    else:
        scaled = (grey - (window.centre - 0.5)) / max(window.width - 1, 1e-6) + 0.5
    clipped: NDArray[np.float32] = np.clip(scaled, 0, 1).astype(np.float32) * _WHITE
    return clipped


def _own_window(header: Dataset, number: int) -> Window | None:
    centre = _number(header, number, "FrameVOILUTSequence", "WindowCenter")
    width = _number(header, number, "FrameVOILUTSequence", "WindowWidth")
    if centre is None or width is None or width <= 0:
        return None
    return Window(centre, width)


def _range(grey: NDArray[np.float32], header: Dataset) -> tuple[float, float]:
    """Return black and white where no window is stated: all of 8 bits, what is there of more."""
    is_plain = not values_of(header, "RescaleSlope")
    if is_plain and (whole_number_of(header, "BitsStored") or 8) == 8 and grey.min() >= 0:
        return 0.0, float(_LARGEST_BYTE)
    return float(grey.min()), float(grey.max())


def _number(header: Dataset, number: int, sequence: str, keyword: str) -> float | None:
    for dataset in _places(header, number, sequence):
        for value in values_of(dataset, keyword):
            found = float(str(value))
            if math.isfinite(found):
                return found
    return None


def _places(header: Dataset, number: int, sequence: str) -> Iterator[Dataset]:
    """Yield where an attribute may stand: for this frame, for all, for the object."""
    per_frame = values_of(header, "PerFrameFunctionalGroupsSequence")
    shared = values_of(header, "SharedFunctionalGroupsSequence")
    for groups in (*per_frame[number - 1 : number], *shared[:1]):
        if isinstance(groups, Dataset):
            yield from (item for item in values_of(groups, sequence) if isinstance(item, Dataset))
    yield header


def _fitted(picture: Image.Image, viewport: Viewport | None) -> Image.Image:
    if viewport is None:
        return picture
    if viewport.region is not None:
        left, top, width, height = viewport.region
        picture = picture.crop((left, top, left + width, top + height))
    scale = min(viewport.width / picture.width, viewport.height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.BILINEAR)
