"""Scoring files without a network: one row an eye."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from arcuate.score_row import Row, failed_row, scored_row
from core.errors import NodeError
from dicom_node.devices.attributes import READING_ERRORS
from dicom_node.devices.input_class import is_model_input
from dicom_node.devices.reading import read_localizer_reference
from inference.analysis import estimate_fields
from inference.examination import examine
from inference.predictor import Predictor

#: What reading a broken file ends in.
_BROKEN: Final = (*READING_ERRORS, InvalidDicomError, MemoryError)


def score_files(
    files: Iterable[Path], wanted: Iterable[Path], predictor: Predictor
) -> Iterator[Row]:
    """Yield a row for each wanted file that is a scan; pictures and reports give none.

    A file that breaks while it is read or scored is a row with status `failed` and the cause; the
    others go on. Localizers are looked for among all the files.
    """
    localizers = {uid: path for path in files if (uid := _instance_uid(path)) is not None}
    for path in wanted:
        try:
            row = _score(path, localizers, predictor)
        except NodeError as error:
            row = failed_row(str(path), predictor.identity, str(error))
        except _BROKEN as error:
            # The type alone: the text may quote an element's value, and that may be a name.
            cause = f"cannot be read: {type(error).__name__}; export the scan again"
            row = failed_row(str(path), predictor.identity, cause)
        if row is not None:
            yield row


def _score(path: Path, localizers: dict[str, Path], predictor: Predictor) -> Row | None:
    dataset = dcmread(path)
    if not _is_scan(dataset):
        return None
    reference = localizers.get(read_localizer_reference(dataset) or "")
    localizer = dcmread(reference, stop_before_pixels=True) if reference else None
    examination = examine(dataset, localizer, predictor.card.trained_age_range_years)
    (estimate,) = estimate_fields(predictor, [examination])
    return scored_row(str(path), predictor.identity, examination, estimate)


def _is_scan(dataset: Dataset) -> bool:
    words = ("SOPClassUID", "Modality", "Manufacturer")
    return is_model_input(*(str(dataset.get(word, "")) for word in words))


def _instance_uid(path: Path) -> str | None:
    try:
        header = dcmread(path, specific_tags=["SOPInstanceUID"], stop_before_pixels=True)
    except _BROKEN:
        # Its own row says so.
        return None
    uid = header.get("SOPInstanceUID")
    return None if uid is None else str(uid)
