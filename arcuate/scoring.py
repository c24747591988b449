"""Scoring files without a network: one row an eye."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from arcuate.score_row import Row, failed_row, scored_row
from core.errors import NodeError
from core.values.prediction import ModelIdentity
from dicom_node.devices.attributes import READING_ERRORS
from dicom_node.devices.fundus_localizer import belongs_to_scan, is_localizer
from dicom_node.devices.input_class import is_model_input, is_oct_scan, is_photograph
from dicom_node.devices.reading import read_localizer_reference
from inference.examination import examine, kind_of
from inference.model_card import ModelKind
from inference.scorers import Scorers
from inference.stored_scan import StoredScan

#: What reading a broken file ends in.
_BROKEN: Final = (*READING_ERRORS, InvalidDicomError, MemoryError)
_KEYS: Final = ["SOPInstanceUID", "SOPClassUID", "StudyInstanceUID"]


@dataclass(frozen=True)
class _Files:
    """Where among the files another one is found.

    Attributes
    ----------
    by_uid
        By SOP Instance UID.
    oct_scans
        By Study Instance UID.
    """

    by_uid: dict[str, Path] = field(default_factory=dict)
    oct_scans: defaultdict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))


def score_files(files: Iterable[Path], wanted: Iterable[Path], scorers: Scorers) -> Iterator[Row]:
    """Yield a row for each wanted file that is a scan or a photograph of the fundus.

    Localizers and reports give none. A file that breaks while it is read or scored is a row with
    status `failed` and the cause; the others go on. What belongs to a scan is looked for among all
    the files.
    """
    known = _look_through(files)
    for path in wanted:
        try:
            row = _score(path, known, scorers)
        except NodeError as error:
            row = failed_row(str(path), _identity(scorers), str(error))
        except _BROKEN as error:
            # The type alone: the text may quote an element's value, and that may be a name.
            cause = f"cannot be read: {type(error).__name__}; export the scan again"
            row = failed_row(str(path), _identity(scorers), cause)
        if row is not None:
            yield row


def _score(path: Path, known: _Files, scorers: Scorers) -> Row | None:
    dataset = dcmread(path)
    if not _is_scan(dataset):
        return None
    if is_photograph(str(dataset.SOPClassUID)):
        if _belongs_to_a_scan(dataset, known):
            return None
        stored = StoredScan(dataset)
    else:
        reference = known.by_uid.get(read_localizer_reference(dataset) or "")
        localizer = dcmread(reference, stop_before_pixels=True) if reference else None
        stored = StoredScan(dataset, localizer)
    (examination,) = scorers.judged([examine(stored, scorers.age_limits_years)])
    (estimate,) = scorers.estimate([examination])
    identity = _identity(scorers, kind_of(str(dataset.SOPClassUID)))
    return scored_row(str(path), identity, examination, estimate)


def _is_scan(dataset: Dataset) -> bool:
    words = ("SOPClassUID", "Modality", "Manufacturer")
    return is_model_input(*(str(dataset.get(word, "")) for word in words))


def _belongs_to_a_scan(photograph: Dataset, known: _Files) -> bool:
    study = known.oct_scans.get(str(photograph.get("StudyInstanceUID", "")), [])
    scans = (dcmread(path, stop_before_pixels=True) for path in study)
    return is_localizer(photograph) or any(belongs_to_scan(photograph, scan) for scan in scans)


def _look_through(files: Iterable[Path]) -> _Files:
    known = _Files()
    for path in files:
        header = _header(path)
        if "SOPInstanceUID" in header:
            known.by_uid[header["SOPInstanceUID"]] = path
        if is_oct_scan(header.get("SOPClassUID", "")):
            known.oct_scans[header.get("StudyInstanceUID", "")].append(path)
    return known


def _header(path: Path) -> Mapping[str, str]:
    try:
        header = dcmread(path, specific_tags=list(_KEYS), stop_before_pixels=True)
    except _BROKEN:
        # Its own row says so.
        return {}
    return {key: str(header.get(key)) for key in _KEYS if header.get(key) is not None}


def _identity(scorers: Scorers, kind: ModelKind = ModelKind.PROFILE) -> ModelIdentity:
    """Return the model of a kind, or whichever there is."""
    scorer = scorers.active.get(kind) or next(iter(scorers.active.values()))
    return scorer.identity
