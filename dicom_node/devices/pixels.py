"""The picture of one frame as grey values, checked before any memory is spent on it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.attributes import text_of, whole_number_of
from dicom_node.devices.encoded_frame import (
    checked_codestream,
    decoded_frame,
    pixel_bytes,
    refuse_other_bits,
    stated_sizes,
    transfer_syntax_of,
    truncated,
    undecodable,
    unreadable,
)

#: Far above any B-scan; what a hostile header may make us allocate is bounded by it.
LARGEST_FRAME_PIXELS: Final = 4096 * 4096
LARGEST_FRAME_COUNT: Final = 4096
_GREY: Final = ("MONOCHROME1", "MONOCHROME2")


@dataclass(frozen=True)
class PixelDescription:
    """What the header says of the pixels; every number has been checked."""

    rows: int
    columns: int
    frames: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    inverted: bool
    transfer_syntax: UID


def describe_pixels(dataset: Dataset, *, scrambles: bool) -> PixelDescription:
    """Return what the header says of the pixels, after checking it against the data.

    Parameters
    ----------
    scrambles
        Whether this make of device is known to obfuscate pixel data.

    Raises
    ------
    ScanRefused
        `pixels_unreadable`, `pixels_truncated`, `too_large` or `vendor_encrypted_pixels`.
    """
    if not pixel_bytes(dataset):
        raise unreadable(
            "The object has no Pixel Data (7FE0,0010)", "Export the scan with its image"
        )
    description = _read_description(dataset)
    _refuse_too_large(description)
    if description.transfer_syntax.is_encapsulated:
        size = description.rows, description.columns
        checked_codestream(dataset, 0, description.frames, size, scrambles=scrambles)
    else:
        _refuse_truncated(len(pixel_bytes(dataset)), description)
    return description


def read_frame(
    dataset: Dataset, description: PixelDescription, index: int, *, scrambles: bool
) -> NDArray[np.float32]:
    """Return a frame (0 = the first) as grey values from 0 (black) to 1 (white).

    float32, shape (rows, columns); 1 is the highest value the stored bits can hold.

    Raises
    ------
    ScanRefused
        `pixels_unreadable`, `pixels_truncated` or `vendor_encrypted_pixels`.
    """
    stored = read_stored(dataset, description, index, scrambles=scrambles)
    lowest = -(2 ** (description.bits_stored - 1)) if description.signed else 0
    grey: NDArray[np.float32] = (stored.astype(np.float32) - np.float32(lowest)) / np.float32(
        _highest(description)
    )
    np.clip(grey, 0.0, 1.0, out=grey)
    if description.inverted:
        np.subtract(np.float32(1.0), grey, out=grey)
    return grey


def read_stored(
    dataset: Dataset, description: PixelDescription, index: int, *, scrambles: bool
) -> NDArray[np.integer]:
    """Return a frame (0 = the first) as it is stored, shape (rows, columns).

    Raises
    ------
    ScanRefused
        `pixels_unreadable`, `pixels_truncated` or `vendor_encrypted_pixels`.
    """
    size = description.rows, description.columns
    if description.transfer_syntax.is_encapsulated:
        checked_codestream(dataset, index, description.frames, size, scrambles=scrambles)
    stored = decoded_frame(dataset, index, raw=True, scrambles=scrambles)
    if stored.shape != size:
        raise undecodable("the decoded picture has another size", scrambles=scrambles)
    return stored


def _highest(description: PixelDescription) -> int:
    return int(2**description.bits_stored - 1)


def _read_description(dataset: Dataset) -> PixelDescription:
    frames = whole_number_of(dataset, "NumberOfFrames")
    if frames is None and "NumberOfFrames" not in dataset:
        frames = 1
    numbers = {
        "Rows (0028,0010)": whole_number_of(dataset, "Rows"),
        "Columns (0028,0011)": whole_number_of(dataset, "Columns"),
        "Number of Frames (0028,0008)": frames,
        "Bits Allocated (0028,0100)": whole_number_of(dataset, "BitsAllocated"),
        "Bits Stored (0028,0101)": whole_number_of(dataset, "BitsStored"),
    }
    rows, columns, count, allocated, stored = stated_sizes(numbers)
    refuse_other_bits(allocated, stored)
    return PixelDescription(
        rows=rows,
        columns=columns,
        frames=count,
        bits_allocated=allocated,
        bits_stored=stored,
        signed=whole_number_of(dataset, "PixelRepresentation") == 1,
        inverted=_photometric_interpretation(dataset) == "MONOCHROME1",
        transfer_syntax=transfer_syntax_of(dataset),
    )


def _photometric_interpretation(dataset: Dataset) -> str:
    name = text_of(dataset, "PhotometricInterpretation").upper()
    if name not in _GREY or whole_number_of(dataset, "SamplesPerPixel") != 1:
        raise unreadable(
            "The picture is not grey: Photometric Interpretation (0028,0004) is neither "
            "MONOCHROME1 nor MONOCHROME2, or Samples per Pixel (0028,0002) is not 1",
            "Export the B-scan in grey values",
        )
    return name


def _refuse_too_large(description: PixelDescription) -> None:
    pixels = description.rows * description.columns
    if pixels > LARGEST_FRAME_PIXELS or description.frames > LARGEST_FRAME_COUNT:
        raise ScanRefused(
            ReasonCode.TOO_LARGE,
            f"The object states {description.frames} frames of {description.rows} × "
            f"{description.columns}; the limit is {LARGEST_FRAME_COUNT} frames of "
            f"{LARGEST_FRAME_PIXELS} pixels. Export one scan an object, in the device's own size.",
        )


def _refuse_truncated(available: int, description: PixelDescription) -> None:
    needed = description.rows * description.columns * description.frames
    needed *= description.bits_allocated // 8
    if available < needed:
        raise truncated(f"Pixel Data holds {available} of {needed} bytes")
