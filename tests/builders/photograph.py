"""Photographs of the fundus for tests: a whole one with one call, a broken one by keyword.

    build_photograph()                                     a right eye, colour, JPEG, 60 years old
    build_photograph(laterality=Laterality.LEFT)
    build_photograph(pixels=array)                         uint8, shape (rows, columns, 3)
    build_photograph(age_years=None)
    build_photograph(HorizontalFieldOfView=None)           any DICOM keyword; None leaves it out
    as_form(photograph, pixels, "MONOCHROME2")             other pixels, uncompressed, in any form

The default picture is small and even: enough to be read, too little to be prepared.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian

from core.values.laterality import Laterality
from sample_dicom.fundus_op import fundus_op
from sample_dicom.ophthalmic import coded
from tests.builders.opt import build_study

#: Red, green and blue of a retina in daylight colours.
RETINA_RGB = (176, 92, 40)


def build_photograph(
    *,
    laterality: Laterality = Laterality.RIGHT,
    age_years: float | None = 60.0,
    pixels: NDArray[np.uint8] | None = None,
    key: str = "photograph",
    **keywords: Any,
) -> Dataset:
    """Return a photograph; keywords are DICOM attributes, None leaves one out."""
    study = build_study(key, age_years)
    picture = even_picture() if pixels is None else pixels
    dataset = fundus_op(study, laterality, picture, field_degree=45.0)
    for keyword, value in keywords.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def even_picture(rows: int = 64, columns: int = 96) -> NDArray[np.uint8]:
    """Return a picture of one colour, shape (rows, columns, 3)."""
    return np.full((rows, columns, 3), RETINA_RGB, np.uint8)


def as_form(dataset: Dataset, stored: NDArray[np.integer], form: str) -> Dataset:
    """Write stored values, uncompressed, as that Photometric Interpretation; return the object."""
    rows, columns = stored.shape[:2]
    dataset.Rows, dataset.Columns = rows, columns
    dataset.SamplesPerPixel = 1 if form.startswith(("MONO", "PALETTE")) else 3
    dataset.PhotometricInterpretation = form
    dataset.BitsAllocated = dataset.BitsStored = 8 * stored.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.PixelData = stored.tobytes()
    dataset["PixelData"].VR = "OB" if stored.dtype.itemsize == 1 else "OW"
    dataset["PixelData"].is_undefined_length = False
    return dataset


def code_item(value: str, scheme: str = "SCT") -> Sequence:
    """Return a code sequence of one item."""
    return Sequence([coded(Code(value, scheme, "for a test"))])
