"""What is read of a file before it is scored; each function runs in a process of its own.

What an image shows goes no further: its examination is handed back without pixels.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from core.errors import NodeError
from dicom_node.devices.attributes import READING_ERRORS
from dicom_node.devices.fundus_localizer import belongs_to_scan, is_localizer
from dicom_node.devices.input_class import is_model_input, is_oct_scan, is_photograph
from dicom_node.devices.reading import read_localizer_reference
from inference.examination import Examination, examine
from inference.model_card import ModelKind
from inference.stored_scan import StoredScan

#: What reading a broken file ends in.
_BROKEN: Final = (*READING_ERRORS, InvalidDicomError, MemoryError)


@dataclass(frozen=True)
class FileHeader:
    """What other files are found by; empty where a file says nothing, or cannot be read.

    Attributes
    ----------
    localizer_uid
        SOP Instance UID of the localizer that a scan names.
    """

    path: Path
    sop_instance_uid: str = ""
    study_instance_uid: str = ""
    is_oct_scan: bool = False
    localizer_uid: str = ""


@dataclass(frozen=True)
class FileToExamine:
    """A file with the others that decide about it.

    Attributes
    ----------
    oct_scans
        Of the same study; looked at where it is a photograph.
    age_limits_years
        Youngest and oldest age of each model that scores.
    """

    path: Path
    localizer: Path | None
    oct_scans: tuple[Path, ...]
    age_limits_years: Mapping[ModelKind, tuple[float, float]]


@dataclass(frozen=True)
class ExaminedFile:
    """What came of a file.

    Attributes
    ----------
    digest
        SHA-256 of its content; empty where it cannot be opened.
    examination
        None for what is no scan, and where reading failed.
    failure
        Why it cannot be scored, without patient data; empty where it can.
    """

    digest: str
    examination: Examination | None = None
    failure: str = ""


def read_header(path: Path) -> FileHeader:
    """Return what other files find a file by."""
    try:
        dataset = dcmread(path, stop_before_pixels=True)
        localizer = read_localizer_reference(dataset) or ""
    except (NodeError, *_BROKEN):
        # Its own row says so.
        return FileHeader(path)
    return FileHeader(
        path,
        str(dataset.get("SOPInstanceUID", "")),
        str(dataset.get("StudyInstanceUID", "")),
        is_oct_scan(str(dataset.get("SOPClassUID", ""))),
        localizer,
    )


def examine_file(file: FileToExamine) -> ExaminedFile:
    """Read and measure a file."""
    digest = ""
    try:
        content = file.path.read_bytes()
        digest = digest_of(content)
        return ExaminedFile(digest, _examination(dcmread(BytesIO(content)), file))
    except NodeError as error:
        return ExaminedFile(digest, failure=str(error))
    except _BROKEN as error:
        # The type alone: the text may quote an element's value, and that may be a name.
        cause = f"cannot be read: {type(error).__name__}; export the scan again"
        return ExaminedFile(digest, failure=cause)


def file_digest(path: Path) -> str:
    """Return the digest of a file's content; empty where it cannot be opened."""
    try:
        return digest_of(path.read_bytes())
    except OSError:
        return ""


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of some bytes, as tables of scores write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _examination(dataset: Dataset, file: FileToExamine) -> Examination | None:
    """Return the examination of a scan or a photograph; None for what is neither."""
    words = ("SOPClassUID", "Modality", "Manufacturer")
    if not is_model_input(*(str(dataset.get(word, "")) for word in words)):
        return None
    if is_photograph(str(dataset.SOPClassUID)):
        if _belongs_to_a_scan(dataset, file):
            return None
        stored = StoredScan(dataset)
    else:
        beside = file.localizer
        localizer = dcmread(beside, stop_before_pixels=True) if beside is not None else None
        stored = StoredScan(dataset, localizer)
    return examine(stored, file.age_limits_years).without_pixels()


def _belongs_to_a_scan(photograph: Dataset, file: FileToExamine) -> bool:
    scans = (dcmread(path, stop_before_pixels=True) for path in file.oct_scans)
    return is_localizer(photograph) or any(belongs_to_scan(photograph, scan) for scan in scans)
