"""The bytes of a picture as they came, checked before anything is decoded."""

from collections.abc import Mapping
from typing import Any, Final

from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, JPEGExtended12Bit, RLELossless

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.attributes import READING_ERRORS, text_of, whole_number_of
from dicom_node.devices.codestream import codestream_size, is_complete

#: pydicom's decoders, best first. gdcm is the last: damaged JPEG, JPEG 2000 or JPEG-LS can make it
#: end the whole process, which no handler here could stop.
_DECODERS: Final = ("pylibjpeg", "pyjpegls", "pydicom", "pillow", "gdcm")


def pixel_bytes(dataset: Dataset) -> bytes:
    """Return the value of Pixel Data, empty where it is absent or unreadable."""
    try:
        value = dataset["PixelData"].value
    except READING_ERRORS:
        return b""
    return value if isinstance(value, bytes) else b""


def transfer_syntax_of(dataset: Dataset) -> UID:
    """Return the transfer syntax of a data set whose pixels can be decoded here.

    Raises
    ------
    ScanRefused
        `pixels_unreadable`.
    """
    meta = getattr(dataset, "file_meta", None)
    uid = UID(text_of(meta, "TransferSyntaxUID")) if isinstance(meta, Dataset) else UID("")
    try:
        available = get_decoder(uid).is_available
    except READING_ERRORS:
        available = False
    if not available:
        raise unreadable(
            f"There is no decoder for the Transfer Syntax {uid.name if uid else '(none stated)'}",
            "Export the scan uncompressed or in JPEG, JPEG-LS, JPEG 2000 or RLE",
        )
    return uid


def checked_codestream(
    dataset: Dataset, index: int, frames: int, size: tuple[int, int], *, scrambles: bool
) -> bytes:
    """Return the compressed bytes of a frame (0 = the first), whole and of the stated size.

    Parameters
    ----------
    frames
        Number of frames in the object.
    size
        Rows and columns the header states.
    scrambles
        Whether this make of device is known to obfuscate pixel data.

    Raises
    ------
    ScanRefused
        `pixels_unreadable`, `pixels_truncated` or `vendor_encrypted_pixels`.
    """
    try:
        frame = get_frame(pixel_bytes(dataset), index, number_of_frames=frames)
    except READING_ERRORS as error:
        raise undecodable(type(error).__name__, scrambles=scrambles) from error
    if transfer_syntax_of(dataset) == RLELossless:
        return frame
    found = codestream_size(frame)
    if found != size:
        stated = f"{found[0]} × {found[1]}" if found else "no picture"
        raise undecodable(
            f"the compressed data state {stated}, the header {size[0]} × {size[1]}",
            scrambles=scrambles,
        )
    if not is_complete(frame):
        raise truncated("The compressed picture has no end marker")
    return frame


def decoded_frame(
    dataset: Dataset, index: int, *, raw: bool, scrambles: bool = False
) -> NDArray[Any]:
    """Return the stored values of a frame (0 = the first), decompressed.

    Parameters
    ----------
    raw
        Whether colours stay as they were written; otherwise they become red, green and blue.
    scrambles
        Whether this make of device is known to obfuscate pixel data.

    Raises
    ------
    ScanRefused
        `pixels_unreadable` or `vendor_encrypted_pixels`.
    """
    syntax = transfer_syntax_of(dataset)
    try:
        return get_decoder(syntax).as_array(
            dataset, index=index, raw=raw, decoding_plugin=_decoder_of(dataset, syntax)
        )[0]
    except READING_ERRORS as error:
        raise undecodable(type(error).__name__, scrambles=scrambles) from error


def _decoder_of(dataset: Dataset, syntax: UID) -> str:
    """Return the decoder for a transfer syntax, empty where nothing is compressed."""
    available = get_decoder(syntax).available_plugins
    has_12_bit = syntax == JPEGExtended12Bit and whole_number_of(dataset, "BitsStored") != 8
    # Pillow reads 8 bit of JPEG alone.
    unfit = {"pillow"} if has_12_bit else set()
    fit = (name for name in _DECODERS if name in available and name not in unfit)
    return next(fit, "")


def undecodable(cause: str, *, scrambles: bool) -> ScanRefused:
    """Return the refusal of pixels that no decoder can read."""
    if scrambles:
        return ScanRefused(
            ReasonCode.VENDOR_ENCRYPTED_PIXELS,
            "The pixel data of this Zeiss object are obfuscated; export standard OPT "
            f"(Ophthalmic Tomography) from the device or its archive. Found: {cause}.",
        )
    return unreadable(f"The pixel data cannot be decoded: {cause}")


def unreadable(finding: str, remedy: str = "Export the scan again") -> ScanRefused:
    """Return the refusal of an object whose picture is absent or not as the standard has it."""
    return ScanRefused(ReasonCode.PIXELS_UNREADABLE, f"{finding}. {remedy}.")


def truncated(finding: str) -> ScanRefused:
    """Return the refusal of an object that was cut short."""
    return ScanRefused(
        ReasonCode.PIXELS_TRUNCATED,
        f"{finding}: the object was cut short. Send it again.",
    )


def stated_sizes(numbers: Mapping[str, int | None]) -> list[int]:
    """Return what the header states of a picture, by the name of each attribute.

    Raises
    ------
    ScanRefused
        `pixels_unreadable` if one is absent or not above 0.
    """
    checked = []
    for name, number in numbers.items():
        if number is None or number < 1:
            raise unreadable(f"{name} is absent or no positive whole number")
        checked.append(number)
    return checked


def refuse_other_bits(allocated: int, stored: int) -> None:
    """Refuse pixels of anything but 8 or 16 bits allocated."""
    if allocated not in {8, 16} or stored > allocated:
        raise unreadable(f"The pixels have {stored} of {allocated} bits", "Export 8 or 16 bit")
