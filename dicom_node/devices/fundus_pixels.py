"""The picture of a photograph in grey or in colour, checked before any memory is spent on it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

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

#: Above the pictures of fundus cameras, the largest known being 3288 × 3680.
LARGEST_PHOTOGRAPH_PIXELS: Final = 4096 * 4096
#: Samples per pixel and, without compression, bytes per pixel of 8 bit.
_FORMS: Final = {
    "MONOCHROME1": (1, 1),
    "MONOCHROME2": (1, 1),
    "RGB": (3, 3),
    "YBR_FULL": (3, 3),
    # Every second column has a colour of its own.
    "YBR_FULL_422": (3, 2),
    "YBR_ICT": (3, 3),
    "YBR_RCT": (3, 3),
}


@dataclass(frozen=True)
class _Header:
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    photometric_interpretation: str

    @property
    def uncompressed_bytes(self) -> int:
        """How long Pixel Data must be where nothing is compressed."""
        bytes_per_pixel = _FORMS[self.photometric_interpretation][1]
        return self.rows * self.columns * bytes_per_pixel * self.bits_allocated // 8


def read_photograph_pixels(dataset: Dataset) -> NDArray[np.float32]:
    """Return a photograph as float32, shape (rows, columns, 1 or 3), 0 (dark) to 1 (bright).

    Three values are red, green and blue, whatever colours it was written in.

    Raises
    ------
    ScanRefused
        `pixels_unreadable`, `pixels_truncated`, `too_large` or, for several frames,
        `scan_pattern_unsupported`.

    Source: PS3.3 C.7.6.3.1.2 (Photometric Interpretation).
    """
    if not pixel_bytes(dataset):
        raise unreadable(
            "The object has no Pixel Data (7FE0,0010)", "Export the photograph with its picture"
        )
    header = _read_header(dataset)
    syntax = transfer_syntax_of(dataset)
    if syntax.is_encapsulated:
        checked_codestream(dataset, 0, 1, (header.rows, header.columns), scrambles=False)
    elif len(pixel_bytes(dataset)) < header.uncompressed_bytes:
        raise truncated(
            f"Pixel Data holds {len(pixel_bytes(dataset))} of {header.uncompressed_bytes} bytes"
        )
    return _scaled(decoded_frame(dataset, 0, raw=False), header)


def _scaled(stored: NDArray[np.integer], header: _Header) -> NDArray[np.float32]:
    shape = header.rows, header.columns, header.samples
    if stored.size != np.prod(shape):
        raise undecodable("the decoded picture has another size", scrambles=False)
    bright = stored.reshape(shape).astype(np.float32)
    bright /= np.float32(2**header.bits_stored - 1)
    np.clip(bright, 0.0, 1.0, out=bright)
    if header.photometric_interpretation == "MONOCHROME1":
        np.subtract(np.float32(1.0), bright, out=bright)
    return bright


def _read_header(dataset: Dataset) -> _Header:
    numbers = {
        "Rows (0028,0010)": whole_number_of(dataset, "Rows"),
        "Columns (0028,0011)": whole_number_of(dataset, "Columns"),
        "Bits Allocated (0028,0100)": whole_number_of(dataset, "BitsAllocated"),
        "Bits Stored (0028,0101)": whole_number_of(dataset, "BitsStored"),
    }
    rows, columns, allocated, stored = stated_sizes(numbers)
    _refuse_size(dataset, rows, columns)
    refuse_other_bits(allocated, stored)
    form = _photometric_interpretation(dataset)
    return _Header(rows, columns, _FORMS[form][0], allocated, stored, form)


def _refuse_size(dataset: Dataset, rows: int, columns: int) -> None:
    if rows * columns > LARGEST_PHOTOGRAPH_PIXELS:
        raise ScanRefused(
            ReasonCode.TOO_LARGE,
            f"Rows (0028,0010) and Columns (0028,0011) state {rows} × {columns} pixels; the limit "
            f"is {LARGEST_PHOTOGRAPH_PIXELS}. Export the single photograph, not a montage.",
        )
    frames = whole_number_of(dataset, "NumberOfFrames")
    if frames not in {None, 1}:
        raise ScanRefused(
            ReasonCode.SCAN_PATTERN_UNSUPPORTED,
            f"Number of Frames (0028,0008) is {frames}: a series or a film. Send one photograph of "
            "the disc as an object of its own.",
        )


def _photometric_interpretation(dataset: Dataset) -> str:
    name = text_of(dataset, "PhotometricInterpretation").upper()
    signed = whole_number_of(dataset, "PixelRepresentation") == 1
    if name not in _FORMS or _FORMS[name][0] != whole_number_of(dataset, "SamplesPerPixel"):
        raise unreadable(
            f"Photometric Interpretation (0028,0004) is {name or 'absent'} and does not fit, or "
            "does not go with Samples per Pixel (0028,0002)",
            f"Export the photograph in one of {', '.join(_FORMS)}",
        )
    if signed:
        raise unreadable(
            "Pixel Representation (0028,0103) says that the pixels are signed",
            "Export the photograph as the camera shows it",
        )
    return name
