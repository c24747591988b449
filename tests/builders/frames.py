"""Objects of several frames in any transfer syntax, and a document, for tests of retrieving.

frames_instance(frames=4)                               uncompressed, 8 bit
frames_instance(JPEG2000Lossless, frames=4, bits=16)
document_instance(b"%PDF-1.7 ...")
"""

from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, JPEGBaseline8Bit

from dicom_node.storage.part10 import EncodedInstance
from tests.builders.encoded_instance import build_instance, encode_dataset, encode_instance

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
ROWS, COLUMNS = 32, 48


@lru_cache
def grey_frames(frames: int, bits: int = 8) -> NDArray[Any]:
    """Frames with a course of grey, each another: shape (frames, rows, columns)."""
    course = np.linspace(0, 2**bits - 1, ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    return np.stack([np.roll(course, 3 * frame) for frame in range(frames)]).astype(
        f"<u{bits // 8}"
    )


def frames_instance(
    transfer_syntax_uid: str = ExplicitVRLittleEndian,
    frames: int = 4,
    bits: int = 8,
    **keywords: Any,
) -> EncodedInstance:
    """Return an object of several frames."""
    described: dict[str, Any] = {
        "Rows": ROWS,
        "Columns": COLUMNS,
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "NumberOfFrames": frames,
        "PixelData": grey_frames(frames, bits).tobytes(),
        **keywords,
    }
    syntax = UID(transfer_syntax_uid)
    if syntax == ExplicitVRBigEndian and bits == 16:
        # pydicom swaps no pixels.
        described["PixelData"] = grey_frames(frames, bits).byteswap().tobytes()
    if not syntax.is_encapsulated:
        return encode_instance(transfer_syntax_uid, **described)
    dataset = _compressed(build_instance(**described), syntax, frames)
    return _encoded(dataset, syntax)


def _compressed(dataset: Dataset, syntax: UID, frames: int) -> Dataset:
    if syntax == JPEGBaseline8Bit:
        from PIL import Image

        streams = []
        for frame in grey_frames(frames):
            buffer = BytesIO()
            Image.fromarray(frame).save(buffer, "JPEG", quality=95)
            streams.append(buffer.getvalue())
        dataset.PixelData = encapsulate(streams)
        dataset["PixelData"].is_undefined_length = True
        return dataset
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.set_original_encoding(False, True)
    dataset.compress(syntax, generate_instance_uid=False)
    del dataset.file_meta
    return dataset


def _encoded(dataset: Dataset, syntax: UID) -> EncodedInstance:
    return EncodedInstance(
        data_set=encode_dataset(dataset, syntax),
        transfer_syntax_uid=str(syntax),
        sop_class_uid=str(dataset.SOPClassUID),
        sop_instance_uid=str(dataset.SOPInstanceUID),
        calling_ae_title="DEVICE1",
    )


def document_instance(content: bytes, **keywords: Any) -> EncodedInstance:
    """Return an Encapsulated PDF."""
    dataset = build_instance(SOPClassUID=ENCAPSULATED_PDF, Modality="DOC", **keywords)
    for keyword in ("Rows", "Columns", "PixelData", "BitsAllocated", "BitsStored", "HighBit"):
        delattr(dataset, keyword)
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    dataset.EncapsulatedDocumentLength = len(content)
    return _encoded(dataset, ExplicitVRLittleEndian)
