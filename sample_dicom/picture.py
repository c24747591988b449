"""Pixels into a data set and out to a file, in any of the lossless transfer syntaxes."""

from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

#: pydicom's encoder of each compressed transfer syntax, named so that another one installed beside
#: it does not change the bytes.
ENCODERS: Final = {
    JPEGLSLossless: "pyjpegls",
    RLELossless: "pydicom",
}

#: OpenJPEG's number for a grey picture that is not inverted.
MONOCHROME2: Final = 2


def describe_pixels(dataset: Dataset, rows: int, columns: int, bits: int) -> None:
    """Describe a picture of one grey frame, without giving its pixels."""
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.NumberOfFrames = 1
    dataset.Rows = rows
    dataset.Columns = columns
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = 0


def put_pixels(
    dataset: Dataset,
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    transfer_syntax_uid: UID = ExplicitVRLittleEndian,
) -> None:
    """Describe one grey frame and give its pixels in that transfer syntax, without loss."""
    rows, columns = pixels.shape
    describe_pixels(dataset, rows, columns, bits=8 * pixels.itemsize)
    byte_order: Literal["<", ">"] = "<" if transfer_syntax_uid.is_little_endian else ">"
    dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(byte_order)).tobytes()
    dataset["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    if transfer_syntax_uid == JPEG2000Lossless:
        _compress_jpeg_2000(dataset, pixels)
    elif transfer_syntax_uid.is_compressed:
        dataset.compress(
            transfer_syntax_uid,
            encoding_plugin=ENCODERS[transfer_syntax_uid],
            generate_instance_uid=False,
        )
    else:
        dataset.file_meta.TransferSyntaxUID = transfer_syntax_uid


def _compress_jpeg_2000(dataset: Dataset, pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write a JPEG 2000 codestream; pydicom's own door to OpenJPEG needs one package more."""
    codestream = encode_array(
        pixels, bits_stored=8 * pixels.itemsize, photometric_interpretation=MONOCHROME2
    )
    dataset.PixelData = encapsulate([codestream])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless


def write(dataset: Dataset, path: Path) -> None:
    """Write a DICOM file, with its folder where that is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
